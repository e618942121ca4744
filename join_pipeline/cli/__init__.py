"""`join-pipeline …`: each command parses its arguments, calls one function and prints the result.

Belongs here: text for people, JSON for scripts, exit codes; one file per group of commands. Not here: functions that a
program could call.
"""

import sys

try:
    from join_pipeline.cli.entry import app, main
except KeyboardInterrupt:  # the imports take a while, and nothing that ends a command in words is there yet
    sys.stderr.write("Interrupted. Nothing is half-written. Run it again.\n")
    raise SystemExit(130) from None

__all__ = ["app", "main"]
