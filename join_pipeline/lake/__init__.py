"""The lake: Parquet files on disk, how they are written atomically, and which of them are in force."""
