"""What syncs, loads and the sandbox cost, measured as a user meets them: each step a command in a process of its own.

Belongs here: measuring and printing. Not here: asserting; a slow machine is no failure. `make bench` runs it.
"""
