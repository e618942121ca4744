"""`join-pipeline …`: each command parses its arguments, calls one function and prints the result.

Belongs here: text for people, JSON for scripts, exit codes; one file per group of commands. Not here: functions that a
program could call.
"""

from join_pipeline.cli.entry import app, main

__all__ = ["app", "main"]
