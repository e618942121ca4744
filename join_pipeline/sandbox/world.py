"""One sandbox as a whole: its company, the records written to it, its clock and its faults."""

import random
from uuid import UUID

from join_pipeline.sandbox.clock import Clock
from join_pipeline.sandbox.company import Company, make_company
from join_pipeline.sandbox.config import SandboxConfig, check_faults
from join_pipeline.sandbox.instants import from_datetime
from join_pipeline.sandbox.limits import RateLimit
from join_pipeline.sandbox.overlay import Written
from join_pipeline.sandbox.payloads import SIGNATURE, Payloads
from join_pipeline.sandbox.postings import Postings
from join_pipeline.sandbox.signing import Signer
from join_pipeline.sandbox.state import State


class World:
    """The world that the endpoints use. Only `look` gives the state, because it first moves the state to the clock."""

    def __init__(self, config: SandboxConfig, base_url: str) -> None:
        self.config = config
        self.url = base_url
        self.company: Company = make_company(
            config.seed, config.applications, config.jobs, purge=config.purge, drafts=config.drafts
        )
        self.written = Written(self.company.n_applications, self.company.arrivals.n_candidates)
        self.clock = Clock(from_datetime(config.now), config.speed)
        self.limit = RateLimit(config.rate_limit)
        self.postings = Postings(self.company, config)
        self.payloads = Payloads(self.company, config, self.postings, base_url)
        self.chance = random.Random(config.seed)  # noqa: S311 - faults, not secrets
        self.signer = Signer(config.seed, config.signature_seconds)
        self._state = State(self.company, self.written, announces_changes=config.announces_changes)
        self.set_faults(dict(config.faults))
        self.look()

    def look(self) -> State:
        self._state.move(self.clock.now())
        return self._state

    def set_faults(self, faults: dict[str, float]) -> None:
        check_faults(faults)
        self.faults = faults

    def sign(self, body: bytes) -> bytes:
        """The same response with its URLs signed."""
        nonce = UUID(int=self.chance.getrandbits(128)).hex if self.strikes("resigned") else ""
        return body.replace(SIGNATURE, self.signer.query(self.clock.now(), nonce))

    def strikes(self, fault: str) -> bool:
        """Whether this fault happens now."""
        rate = self.faults.get(fault, 0.0)
        return rate > 0 and self.chance.random() < rate
