"""Runs the load step alone, with the settings of the environment: `python -m benchmarks.load`."""

from join_pipeline.pipeline import load
from join_pipeline.settings import load_settings

if __name__ == "__main__":
    load(load_settings())
