"""Settings: the one reader of the environment.

Belongs here: names, defaults, checks and one-line meanings of what holds whatever the source, and where things lie
below the data folder. Not here: what can be set of one source (its own options), anything that acts on settings.
"""

import os
import zoneinfo
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal, Self, TypeVar, cast

import typer
from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from join_pipeline.errors import SettingsError
from join_pipeline.sources.options import Options
from join_pipeline.sources.registry import DEFAULT, SOURCES

PREFIX: Final = "JOIN_PIPELINE_"
SHORTEST_KEY: Final = 16
OptionsT = TypeVar("OptionsT", bound=Options)


def _time_zone(name: str) -> str:
    if name not in zoneinfo.available_timezones():
        raise ValueError(f"{name!r} is no IANA time zone; an example is Europe/Zurich")
    return name


def _source(name: str) -> str:
    if name not in SOURCES:
        raise ValueError(f"{name!r} is no source; there are {', '.join(SOURCES)}")
    return name


def _folder(value: object) -> object:
    if isinstance(value, str) and not value.strip():
        raise ValueError("names no folder")  # and is not the folder one happens to stand in
    return value


def _key(key: SecretStr) -> SecretStr:
    if len(key) < SHORTEST_KEY:
        raise ValueError(f"needs at least {SHORTEST_KEY} characters")
    return key


def _file(value: object) -> object:
    if isinstance(value, str) and not value.strip():
        raise ValueError("names no file")
    return Path(value).absolute() if isinstance(value, str | Path) else value


class Settings(BaseSettings):
    """What can be set whatever the source, from the environment, and with it each source's options: `load_settings`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True, populate_by_name=True
    )
    _options: dict[type[Options], Options] = PrivateAttr(default_factory=dict)

    source: Annotated[str, AfterValidator(_source)] = Field(
        DEFAULT,
        description="Where syncs read, fixed with the first one: "
        + "; ".join(f"`{name}`, {entry.doc}" for name, entry in SOURCES.items()),
    )
    data: Annotated[Path, BeforeValidator(_folder)] = Field(
        Path("data"), description="The data folder; one folder per connection lies in it"
    )
    connection: str = Field(
        "join", pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$", description="Name of the connection: one company"
    )
    integration_id: str | None = Field(
        None, min_length=1, max_length=200, description="Seed of all ids; random at the first sync, then fixed"
    )
    pseudonym_key: Annotated[SecretStr, AfterValidator(_key)] | None = Field(
        None, description="Key of the pseudonyms; else a 0600 file in the user's config folder"
    )
    time_zone: Annotated[str, AfterValidator(_time_zone)] = Field(
        "Europe/Berlin", description="Time zone in which days are cut and schedules tick"
    )
    pages_in_flight: int = Field(8, ge=1, le=32, description="Pages of a listing asked for side by side")
    timeout_seconds: float = Field(30.0, gt=0, le=600, description="Seconds to wait for one answer")
    max_wait_seconds: float = Field(
        900.0, ge=1, le=86_400, description="Seconds that one request may spend on retries before the sync ends"
    )
    max_second_looks: int = Field(
        1000, ge=0, le=1_000_000, description="Missing records looked at one by one in a sync; the rest stay pending"
    )
    resume_hours: float = Field(
        2.0, ge=0, le=24, description="How old a full sync that was interrupted may be to be resumed; 0: never"
    )
    raw_days: int = Field(14, ge=0, le=3650, description="Days for which raw payloads and set-aside records are kept")
    report_language: Literal["en", "de"] | None = Field(
        None, description="Language in which the report opens, `en` or `de`; else its reader's own"
    )
    platform: str | None = Field(
        None, min_length=1, max_length=100, description="Your platform's name, the source of what is created here"
    )
    written_source_csv: Annotated[Path | None, BeforeValidator(_file)] = Field(
        None, description="CSV of your own, `name,source`: the word that a source is written as"
    )
    private_data_urls: bool = Field(
        False, description="Whether attachments may be taken from loopback and private addresses, too"
    )
    memory_limit: str = Field(
        "2GB", pattern=r"^[1-9][0-9]*(\.[0-9]+)?(MB|GB|MiB|GiB)$", description="Memory that DuckDB may use"
    )

    publish_people: bool = Field(
        False, description="Also publish `people.duckdb`: names and contacts, by the same keys"
    )
    per_person: bool = Field(False, description="Give readers keys of users, and figures per person")
    k: int = Field(5, ge=2, le=1000, description="Shared models show no group of fewer people than this")
    minimum_n: int = Field(10, ge=2, le=10_000, description="No rate on fewer cases than this; at least k")
    stuck_percentile: float = Field(
        75.0, ge=50, le=99, description="Stuck: waits longer than this percentile of the milestone's completed visits"
    )
    stuck_days: float = Field(
        90.0, gt=0, le=3650, description="Stuck where there are few such visits: after this many days"
    )
    stuck_visits: int = Field(10, ge=1, le=10_000, description="Fewer completed visits than this are few")
    stage_milestone_csv: Annotated[Path | None, BeforeValidator(_file)] = Field(
        None, description="CSV of your own, `stage_name,milestone`: its rows go before ours"
    )
    source_channel_csv: Annotated[Path | None, BeforeValidator(_file)] = Field(
        None, description="CSV of your own, `source,channel`: its rows go before ours"
    )
    retention_policy_csv: Annotated[Path | None, BeforeValidator(_file)] = Field(
        None, description="CSV of your own, `country,months`: its rows go before ours"
    )

    @model_validator(mode="after")
    def _rates_stand_on_k(self) -> Self:
        if self.minimum_n < self.k:
            raise ValueError(
                f"{env_name('minimum_n')} ({self.minimum_n}) is below {env_name('k')} ({self.k}): a rate would tell of "
                "fewer people than a group may have"
            )
        return self

    def of(self, kind: type[OptionsT]) -> OptionsT:
        """One source's own options."""
        return cast("OptionsT", self._options[kind])

    @property
    def lake_seed(self) -> str | None:
        """What a new lake is named after, and an old one must be."""
        return self._options[SOURCES[self.source].options].lake_seed or self.integration_id

    @property
    def token_file(self) -> Path:
        """Where `connect` keeps the connection's token; the environment's wins."""
        return config_folder() / "tokens" / self.connection

    @property
    def home(self) -> Path:
        """The connection's folder, absolute."""
        return self.data.absolute() / self.connection

    @property
    def lake(self) -> Path:
        return self.home / "lake"

    @property
    def warehouse(self) -> Path:
        return self.home / "warehouse.duckdb"

    @property
    def published(self) -> Path:
        """The DuckDB file that readers open."""
        return self.home / "published" / "recruiting.duckdb"

    @property
    def people(self) -> Path:
        """Names and contacts, for those who may see them; there only when switched on."""
        return self.home / "published" / "people.duckdb"

    @property
    def audit_log(self) -> Path:
        """Who made names and contacts readable, when: a line of JSON each."""
        return self.home / "audit.log"

    @property
    def report(self) -> Path:
        """The HTML file for people who look."""
        return self.published.with_name("report.html")

    @property
    def actions(self) -> Path:
        """The journal of what was created here, and what is still to be sent."""
        return self.home / "actions"

    @property
    def builds(self) -> Path:
        """Scratch: dbt's target, DuckDB's spill, the report's script. May be deleted at any time that nothing runs."""
        return self.home / "builds"


def declared() -> dict[str, FieldInfo]:
    """Every setting by its field, in the order of the README's table: each source's own, then those of all."""
    own = (entry.options.model_fields for entry in SOURCES.values())
    return {name: field for fields in (*own, Settings.model_fields) for name, field in fields.items()}


def values(settings: Settings) -> dict[str, object]:
    """What every setting is set to, by its field."""
    own = [settings.of(entry.options) for entry in SOURCES.values()]
    return {name: getattr(one, name) for one in (*own, settings) for name in type(one).model_fields}


def env_name(field: str) -> str:
    """The environment variable behind a setting's field."""
    alias = declared()[field].validation_alias
    return alias if isinstance(alias, str) else PREFIX + field.upper()


def setting_text(value: object) -> str:
    """A setting's value as the environment has it."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return str(value).lower() if isinstance(value, bool) else str(value)


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment; `overrides` win. A bad value is a `SettingsError` that names the variable."""
    options: dict[type[Options], Options] = {}
    faults: list[str] = []
    for entry in SOURCES.values():
        given = {name: overrides.pop(name) for name in entry.options.model_fields if name in overrides}
        try:
            options[entry.options] = _from_environment(entry.options)(**given)
        except ValidationError as error:
            faults += _faults_of(error)
    try:
        settings = Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        faults += _faults_of(error)
    if faults:
        raise SettingsError("; ".join(faults))
    try:
        for one in options.values():
            one.check_source(settings.source)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    settings._options = options
    return settings


@cache
def _from_environment(kind: type[Options]) -> Callable[..., Options]:
    """The same options, read from the environment where they are not given."""
    return type(kind.__name__, (kind, BaseSettings), {"model_config": SettingsConfigDict(), "__module__": __name__})


def _faults_of(error: ValidationError) -> list[str]:
    """What is wrong, each by its variable and without its value."""
    faults = []
    for fault in error.errors(include_input=False, include_url=False):
        said = fault["msg"].removeprefix("Value error, ")
        if fault["loc"]:
            field = str(fault["loc"][0])
            said = f"{field if field.isupper() else env_name(field)}: {said}"
        faults.append(said)
    return faults


def config_folder() -> Path:
    """The user's config folder: secrets lie here, away from the data."""
    return Path(typer.get_app_dir("join-pipeline", roaming=False))


def pseudonym_key_file() -> Path:
    """Where the pseudonym key lies when the environment has none."""
    return config_folder() / "pseudonym.key"


def process_environment(settings: Settings) -> dict[str, str]:
    """The environment for a process that is to have these settings: this one's, with every setting written out."""
    environment = dict(os.environ)
    for field, value in values(settings).items():
        if value is None:
            environment.pop(env_name(field), None)
        else:
            environment[env_name(field)] = setting_text(value)
    environment[env_name("data")] = str(settings.data.absolute())
    return environment
