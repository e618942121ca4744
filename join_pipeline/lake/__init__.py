"""Parquet on disk: where files lie, how they appear atomically, which of them are in force."""
