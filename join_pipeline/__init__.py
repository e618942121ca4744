"""Recruiting data out of the JOIN ATS: history, funnel and time to hire in DuckDB."""
