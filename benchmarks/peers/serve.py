"""A sandbox whose answers take so long: `python -m benchmarks.peers.serve APPLICATIONS MILLISECONDS`."""

import sys

from benchmarks.company import START
from join_pipeline.sandbox import SandboxConfig, serve

if __name__ == "__main__":
    applications, milliseconds = map(int, sys.argv[1:])
    config = SandboxConfig(
        port=0,
        applications=applications,
        now=START,
        rate_limit=None,
        slow_seconds=milliseconds / 1000,
        faults={"slow": 1.0} if milliseconds else {},
    )
    serve(config, ready=lambda url: print(url, flush=True))
