"""The settings of a sandbox, declared once.

The last group are guesses about JOIN (facts of confidence E in JOIN's API reference). Each can be set to its opposite.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from join_pipeline.sandbox.jobs import Drafts
from join_pipeline.sandbox.kombo.config import KomboConfig
from join_pipeline.sandbox.purges import Purge
from join_pipeline.sandbox.vocabulary.work import FIRST_STAGE

DEFAULT_NOW: Final = datetime(2026, 6, 1, tzinfo=UTC)
MAX_PAGE_SIZE: Final = 50
JOB_STATUSES: Final = ("ONLINE", "OFFLINE", "ARCHIVED", "DRAFT")
DATE_ERRORS: Final = tuple(timedelta(days=days) for days in (-3650.0, -100.0, -2.0, -0.125, 0.125, 2.0, 100.0, 3650.0))
STATE_KEYS: Final = ("state", "hiringState")

FAULTS: Final = {
    "rate_limited": "429 with a reset of one second",
    "server_error": "500",
    "bad_gateway": "502 with an HTML page",
    "slow": "an answer that takes `slow_seconds`",
    "dropped": "the connection closes in the middle of an answer",
    "truncated": "a whole answer whose JSON ends too early",
    "not_json": "200 with an HTML page",
    "not_a_list": "a listing that answers with an object",
    "error_in_200": "200 with an error in its body",
    "no_content": "204 in place of an empty list",
    "redirected": "a redirect that drops the query",
    "short_page": "once: a page of a list that lacks its last records, although pages follow it",
    "empty_page": "once: a page of a list that is empty",
    "repeated_page": "once: a page of a list that shows the page before it",
    "ignored_page": "a list that shows its first page, whichever is asked for",
    "repeated_cursor": "a page of Kombo's that names its own cursor as the next one",
    "unknown_ids": "404 to a list of Kombo's that is asked for by ids, if it does not know one of them",
    "packed": "gzip of several members, with odd names in its header",
    "broken_packing": "gzip that ends too early",
    "recoded": "JSON in another encoding, with a byte-order mark, or with an odd charset",
    "huge": "a small answer that unpacks to 100 MB",
    "dripping": "an answer that comes byte by byte and takes `slow_seconds`",
    "unknown_enum": "a record with a word that nobody knows",
    "missing_field": "a record that lacks a field",
    "missing_id": "a record that lacks its id, so that nobody can know which one it is",
    "extra_field": "a record with a field that nobody knows",
    "odd_part": "a record with one part of an odd shape",
    "odd_for_good": "this share of records, always the same ones, each with one part of an odd shape in every answer",
    "shifting": "an application arrives, or one that arrived so vanishes, just before a page of applications is read",
    "resigned": "signed URLs that differ at each read",
    "write_error": "a write that is not carried out, answered 503",
    "write_late": "a write that is carried out after `slow_seconds`, whoever still waits",
    "write_lost": "a write that is carried out, and the connection closes in the middle of the answer",
    "write_failed": "a write that is carried out, answered 500",
    "documents_error": "an application that is not created because it has documents, answered 503",
    "documents_lost": "an application that is created without its documents, answered 500",
    "wrong_date": "a `Date` header that is one of `date_errors` off the clock",
    "no_date": "an answer without a `Date` header",
    "odd_date": "a `Date` header that is no date",
}


def check_faults(faults: Mapping[str, float]) -> None:
    """Raise ValueError for an unknown fault or a rate that is no probability."""
    for name, rate in faults.items():
        if name not in FAULTS:
            raise ValueError(f"unknown fault {name!r}; known: {', '.join(FAULTS)}")
        if not 0 <= rate <= 1:
            raise ValueError(f"the rate of {name} must lie between 0 and 1, not {rate}")


@dataclass(frozen=True, kw_only=True)
class SandboxConfig:
    """The settings of one sandbox. The company depends on its second group only."""

    host: str = "127.0.0.1"
    port: int = 8765  # 0 takes any free one

    seed: int = 7
    applications: int = 5000  # created up to DEFAULT_NOW, over 18 months; the company goes on at that pace
    jobs: int | None = None  # over the whole timeline; None: one per 40 applications
    purge: Purge | None = None  # a rule that deletes old applications
    drafts: Drafts = field(default_factory=Drafts)
    first_stages: tuple[str, ...] = (FIRST_STAGE,)  # names of the first stage, one job after the other

    now: datetime = DEFAULT_NOW
    speed: float = 0.0  # simulated seconds per real second; 0: the clock stands still
    page_size: int = MAX_PAGE_SIZE  # default of `pageSize`, and its silent upper limit
    rate_limit: tuple[int, float] | None = (60, 60.0)  # requests per real seconds and token
    faults: Mapping[str, float] = field(default_factory=dict)
    slow_seconds: float = 2.0
    date_errors: tuple[timedelta, ...] = DATE_ERRORS
    token: str = "sandbox-token"  # noqa: S105 - it opens nothing but this sandbox
    signature_seconds: float = 3600.0  # signed URLs live one to two of these, by the sandbox's clock
    kombo: KomboConfig = field(default_factory=KomboConfig)

    announces_changes: bool = True  # lastUpdatedAt moves with the stage and the state
    has_milliseconds: bool = True  # in timestamps
    state_keys: tuple[str, ...] = STATE_KEYS
    shows_questions: bool = True  # a job's `questions`
    shows_hiring_team: bool = False  # a job's `hiringTeam`
    lists_drafts: bool = False  # in /jobs without `status`
    job_statuses: tuple[str, ...] = JOB_STATUSES  # that /jobs takes as `status`; others are 422
    missing_token_status: int = 422
    wrong_token_status: int = 401
    forbidden: tuple[str, ...] = ()  # prefixes of paths that give 403, as if a plan or a permission were missing
    files_need_token: bool = True
    created_status: int = 201
    duplicate_status: int = 422  # of a second application to one job
    adds_documents: bool = False  # a second application with the first one's integrationExternalId adds its documents
    shows_created_id: bool = True  # in the answer to a creation; candidateId always is
    keeps_external_id: bool = True  # integrationExternalId is read back as written
    max_documents_bytes: int = 10 * 2**20  # all of an application; more is 413
    refused_documents: tuple[str, ...] = (".exe",)  # ends of names that are 422

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ValueError("the seed can't be negative")
        if self.applications < 0 or (self.jobs is not None and self.jobs < 0):
            raise ValueError("applications and jobs can't be negative")
        if self.applications and self.jobs == 0:
            raise ValueError("applications need a job")
        if not all(self.first_stages) or not self.first_stages:
            raise ValueError("each first stage needs a name")
        if self.now.tzinfo is None:
            raise ValueError("now needs a time zone")
        if not 1 <= self.page_size <= MAX_PAGE_SIZE:
            raise ValueError(f"page_size must lie between 1 and {MAX_PAGE_SIZE}, not {self.page_size}")
        if self.speed < 0:
            raise ValueError("the clock can't run backwards")
        check_faults(self.faults)
