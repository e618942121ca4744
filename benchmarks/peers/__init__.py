"""Other ways to read JOIN's API, measured against the same sandbox: a script, dlt and a Singer tap, written by us.

    make bench-peers

Each peer is a program of its own with an environment of its own, which this makes in `build/peers`. Belongs here: the
peers, as their documentation advises, the measuring, the table and the chart. Not here: our own costs by size
(`python -m benchmarks sync`).
"""
