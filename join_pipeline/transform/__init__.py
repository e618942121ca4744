"""Transform: dbt turns loaded tables into marts."""
