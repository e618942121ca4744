"""`join-pipeline …`: parse arguments, call one function, print.

Belongs here: words for people, JSON for scripts, exit codes; a file per group of commands. Not here: anything that a
program could want to call.
"""

from join_pipeline.cli.entry import app, main

__all__ = ["app", "main"]
