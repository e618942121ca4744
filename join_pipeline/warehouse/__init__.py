"""Right of the lake: load into DuckDB, run dbt, publish for readers. All of it can be deleted and built again."""
