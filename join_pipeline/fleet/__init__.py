"""Runs on many machines: what Dagster's Celery launcher lacks for them.

Belongs here: the worker's app, which queue a run takes, how a run's worker is. Not here: any step (defs), Kubernetes,
whose launcher lacks nothing.
"""
