"""Estimates: what SQL can't estimate, with numpy.

Belongs here: numerics on plain arrays, which dbt's Python models call. Not here: what is estimated from which rows, and
how it is told (dbt_project), files, settings, any other room.
"""
