"""Warehouse: load the lake into DuckDB and publish files for readers. All of it can be deleted and built again."""
