"""The sandbox: an imitation of JOIN's API on loopback, with a made-up company, its own clock and faults on demand.

Belongs here: the company (a pure function of a seed and a clock), the API, and the control path that returns the truth.
Not here: anything that reads the API. Start reading with `server`, or with `company` for the data behind it.
"""

from join_pipeline.sandbox.config import SandboxConfig
from join_pipeline.sandbox.jobs import Drafts
from join_pipeline.sandbox.purges import Purge
from join_pipeline.sandbox.server import running, serve

__all__ = ["Drafts", "Purge", "SandboxConfig", "running", "serve"]
