"""`python -m join_pipeline.cli` is `join-pipeline`."""

from join_pipeline.cli import main

main()
