"""Ours inside somebody's Dagster: scopes, many connections as partitions, the component.

Belongs here: what keeps several code locations, and several companies in one, apart. Not here: any step (defs).
"""
