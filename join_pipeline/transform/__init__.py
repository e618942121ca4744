"""Transform: dbt builds the marts from the loaded tables."""
