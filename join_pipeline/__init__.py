"""Recruiting data from the JOIN ATS: history, funnel and time to hire in DuckDB."""
