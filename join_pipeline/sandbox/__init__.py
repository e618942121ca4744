"""A JOIN look-alike on loopback: a made-up company behind JOIN's API, with its own clock and faults on demand.

Belongs here: the company (a pure function of a seed and a clock), the API before it, and the control path that tells
the truth. Not here: anything that reads the API. Start with `server`, or with `company` for what lies behind it.
"""

from join_pipeline.sandbox.config import SandboxConfig
from join_pipeline.sandbox.server import running, serve

__all__ = ["SandboxConfig", "running", "serve"]
