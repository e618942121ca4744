"""Measures what syncs, loads, the sandbox and dbt cost. Each measured step is a command in a process of its own.

Belongs here: measuring and printing. Not here: assertions, since a slow machine is no failure. `make bench` runs it.
"""
