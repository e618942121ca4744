"""Portfolio: one DuckDB file over all companies, made from their Parquet files."""
