"""Settings: the only module that reads the environment.

Belongs here: the name, default, check and one-line meaning of each setting that holds for every source. Not here: the
options of one source (sources), the paths below the data folder (places), anything that acts on settings.
"""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Annotated, Final, Literal, Self, TypeVar, cast

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from join_pipeline.bucket.options import BucketSettings
from join_pipeline.connections.listed import DEMO, FILE, Kinds, Listed, kinds_of, read_listed
from join_pipeline.environment import (
    asked_directly,
    dropped,
    file_of,
    folder_of,
    misspelt,
    proxies,
    without_dropped,
)
from join_pipeline.errors import SettingsError
from join_pipeline.notices.options import NoticeSettings
from join_pipeline.places import Places, config_folder
from join_pipeline.privacy import PrivacySettings
from join_pipeline.setting_values import faults_of, from_environment, known_zone, long_key, memory, short_name
from join_pipeline.sources.options import Options
from join_pipeline.sources.registry import DEFAULT, SOURCES, known_source

PREFIX: Final = "JOIN_PIPELINE_"
OptionsT = TypeVar("OptionsT", bound=Options)
_CHOSEN: Final[ContextVar[str | None]] = ContextVar("connection", default=None)


class Settings(Places, PrivacySettings, NoticeSettings, BucketSettings, BaseSettings):
    """The settings that hold for every source, with each source's own options. `load_settings` makes one."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
        populate_by_name=True,
    )
    _options: dict[type[Options], Options] = PrivateAttr(default_factory=dict)
    _is_listed: bool = PrivateAttr(default=False)

    source: Annotated[str, AfterValidator(known_source)] = Field(
        DEFAULT,
        description="The source of syncs, fixed with the first one: "
        + "; ".join(f"`{name}`, {entry.doc}" for name, entry in SOURCES.items()),
    )
    data: Annotated[Path, BeforeValidator(folder_of)] = Field(
        Path("data"), description="The data folder; it has one folder per connection"
    )
    connection: Annotated[str, AfterValidator(short_name)] = Field(
        "join", description="Name of the connection; a connection is one company"
    )
    connections_toml: Annotated[Path | None, BeforeValidator(file_of)] = Field(
        None, description=f"Your file of many companies; default: `{FILE}` in the user's config folder"
    )
    integration_id: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Seed of all ids, fixed with the first sync; without it, a random one",
    )
    pseudonym_key: Annotated[SecretStr, AfterValidator(long_key)] | None = Field(
        None, description="Secret key of the pseudonyms; without it, a 0600 file in the user's config folder holds one"
    )
    time_zone: Annotated[str, AfterValidator(known_zone)] = Field(
        "Europe/Berlin", description="Time zone of calendar days and of Dagster's schedules"
    )
    pages_in_flight: int = Field(8, ge=1, le=32, description="Pages of a listing that are fetched at the same time")
    timeout_seconds: float = Field(
        30.0, gt=0, le=600, description="Seconds for one request, from connecting to the last byte of its response"
    )
    max_wait_seconds: float = Field(
        900.0, ge=1, le=86_400, description="Seconds that one request may spend on retries before the sync ends"
    )
    max_second_looks: int = Field(
        1000, ge=0, le=1_000_000, description="Most second looks in a sync; the other missing records stay pending"
    )
    resume_hours: float = Field(
        2.0, ge=0, le=24, description="Largest age in hours of an interrupted full sync that is resumed; 0: never"
    )
    raw_days: int = Field(14, ge=0, le=3650, description="Days for which raw payloads and quarantined records are kept")
    report_language: Literal["en", "de"] | None = Field(
        None, description="Language in which the report opens, `en` or `de`; default: the language of the browser"
    )
    team: Annotated[str, AfterValidator(short_name)] = Field(
        "recruiting", description="The team that owns the assets in Dagster"
    )
    platform: str | None = Field(
        None, min_length=1, max_length=100, description="Your platform's name, the source of applications created here"
    )
    written_source_csv: Annotated[Path | None, BeforeValidator(file_of)] = Field(
        None, description="Your CSV file, `name,source`: the word that is sent for each name of a source"
    )
    private_data_urls: bool = Field(
        False, description="Whether attachments may also be fetched from loopback and private addresses"
    )
    memory_limit: Annotated[str, AfterValidator(memory)] = Field(
        "2GB", description="Memory that DuckDB may use at most"
    )

    queue: Annotated[str, AfterValidator(short_name)] | None = Field(
        None, description="Queue of Celery that the company's runs take, to the machine that has its lake"
    )

    k: int = Field(5, ge=2, le=1000, description="k: the smallest group of people that a shared model shows")
    minimum_n: int = Field(
        10, ge=2, le=10_000, description="Smallest number of cases that a rate stands on; at least k"
    )
    stuck_chance: float = Field(
        10.0, gt=0, le=90, description="Stuck: the chance to move on within the next 30 days is below this, in percent"
    )
    stuck_days: float = Field(
        90.0, gt=0, le=3650, description="Stuck, where nothing tells that chance: waiting longer than these days"
    )
    stuck_visits: int = Field(
        10, ge=1, le=10_000, description="Smallest number of stays at a milestone from which that chance is told"
    )
    retention_days: int | None = Field(
        None,
        ge=0,
        le=36_500,
        description="Days after which a rule of the ATS deletes applications; 0: none; default: as the deletions show",
    )
    stale_after_days: float = Field(
        14.0, gt=0, le=3650, description="Estimates that end more than these days before the last sync are told as old"
    )
    stage_milestone_csv: Annotated[Path | None, BeforeValidator(file_of)] = Field(
        None, description="Your CSV file, `stage_name,milestone`: its rows take precedence over ours"
    )
    source_channel_csv: Annotated[Path | None, BeforeValidator(file_of)] = Field(
        None, description="Your CSV file, `source,channel`: its rows take precedence over ours"
    )
    retention_policy_csv: Annotated[Path | None, BeforeValidator(file_of)] = Field(
        None, description="Your CSV file, `country,months`: its rows take precedence over ours"
    )
    hiring_plan_csv: Annotated[Path | None, BeforeValidator(file_of)] = Field(
        None, description="Your CSV file, `job,category,hires,by,since`: the hires that you want, and by when"
    )
    service_level_csv: Annotated[Path | None, BeforeValidator(file_of)] = Field(
        None, description="Your CSV file, `milestone,days`: the days that an application may wait there"
    )
    cost_csv: Annotated[Path | None, BeforeValidator(file_of)] = Field(
        None, description="Your CSV file, `source,month,cost,currency`: what each source cost in a month"
    )

    @model_validator(mode="after")
    def _rates_stand_on_k(self) -> Self:
        if self.minimum_n < self.k:
            raise ValueError(
                f"{env_name('minimum_n')} ({self.minimum_n}) is below {env_name('k')} ({self.k}): a rate would show "
                "fewer people than the smallest group may have"
            )
        return self

    def of(self, kind: type[OptionsT]) -> OptionsT:
        """The options of one source, by their type."""
        return cast("OptionsT", self._options[kind])

    @property
    def lake_seed(self) -> str | None:
        """The integration id of a new lake, which an existing lake must match. None if the first sync draws it."""
        return self._options[SOURCES[self.source].options].lake_seed or self.integration_id

    @property
    def is_listed(self) -> bool:
        """Whether the connection is one of the file's, and not the environment's own."""
        return self._is_listed


def declared() -> dict[str, FieldInfo]:
    """Every setting by its field's name, in the order of docs/reference/settings.md: each source's, then the common."""
    own = (entry.options.model_fields for entry in SOURCES.values())
    return {name: field for fields in (*own, Settings.model_fields) for name, field in fields.items()}


def values(settings: Settings) -> dict[str, object]:
    """The value of every setting, by its field's name."""
    own = [settings.of(entry.options) for entry in SOURCES.values()]
    return {name: getattr(one, name) for one in (*own, settings) for name in type(one).model_fields}


def env_name(field: str) -> str:
    """The environment variable of a setting's field."""
    alias = declared()[field].validation_alias
    return alias if isinstance(alias, str) else PREFIX + field.upper()


def unknown_variables() -> dict[str, str | None]:
    """Variables of the environment that look like settings and are none, each with the nearest setting or None."""
    return misspelt(os.environ, PREFIX, [env_name(field) for field in declared()])


def setting_text(value: object) -> str:
    """A setting's value as an environment variable states it."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return str(value).lower() if isinstance(value, bool) else str(value)


def choose_connection(connection: str | None) -> None:
    """Take this connection's settings from now on, unless a program passes another one."""
    _CHOSEN.set(connection)


def chosen_connection() -> str | None:
    """The connection that was chosen, or None."""
    return _CHOSEN.get()


@contextmanager
def choosing(connection: str | None) -> Iterator[None]:
    """The same within a block."""
    token = _CHOSEN.set(connection)
    try:
        yield
    finally:
        _CHOSEN.reset(token)


def connections_file(path: object = None) -> Path:
    """The file of many companies, whether it is there or not. `path` takes precedence over the environment."""
    try:
        stated = file_of(path or os.environ.get(env_name("connections_toml")) or None)
    except ValueError as error:
        raise SettingsError(f"{env_name('connections_toml')}: {error}") from None
    return stated if isinstance(stated, Path) else config_folder() / FILE


def data_folder() -> Path:
    """The data folder of all connections, absolute. It needs no connection whose settings are good."""
    try:
        stated = folder_of(os.environ.get(env_name("data")) or "data")
    except ValueError as error:
        raise SettingsError(f"{env_name('data')}: {error}") from None
    return Path(str(stated)).absolute()


def kinds() -> Kinds:
    """The settings that a connection of the file may have."""
    return kinds_of(declared())


def listed_connections(path: object = None) -> dict[str, Listed]:
    """All connections of the file, by name. Raises `SettingsError` if the file can't be read."""
    return read_listed(connections_file(path), kinds())


def load_settings(**overrides: object) -> Settings:
    """Read the settings from the environment and, for a connection of the file, from there; `overrides` win.

    Raises `SettingsError` for faulty values. It names each variable, or the line, and never shows a value.
    """
    listed = _listed(overrides)
    overrides = (listed.values(kinds(), os.environ) if listed else {}) | overrides
    options: dict[type[Options], Options] = {}
    faults: list[str] = []
    for entry in SOURCES.values():
        given = {name: overrides.pop(name) for name in entry.options.model_fields if name in overrides}
        try:
            options[entry.options] = from_environment(entry.options)(**given)
        except ValidationError as error:
            faults += faults_of(error, partial(_told, listed=listed))
    try:
        settings = Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        faults += faults_of(error, partial(_told, listed=listed))
    if faults:
        raise SettingsError("; ".join(faults))
    try:
        for one in options.values():
            one.check_source(settings.source)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    settings._options = options
    settings._is_listed = listed is not None
    return settings


def _listed(overrides: dict[str, object]) -> Listed | None:
    """The entry of the connection that a program, `--connection` or the environment names; None without one.

    A name that was asked for must be in the file if there is one. The environment's own connection need not.
    """
    chosen = _CHOSEN.get()
    if chosen is not None:
        overrides.setdefault("connection", chosen)
    name = overrides.get("connection") or os.environ.get(env_name("connection"))
    if not name or name == DEMO:
        return None
    path = overrides.get("connections_toml")
    known = listed_connections(path)
    if known and name not in known and name == chosen:
        raise SettingsError(f"{name} is not in {connections_file(path)}. It has {', '.join(known)}.")
    return known.get(str(name))


def _told(variable: str, listed: Listed | None) -> str:
    """The name of a setting for a message: its line in the file if it stands there, else its variable."""
    fields = {env_name(name): name for name in declared()}
    field = fields.get(variable, variable)
    return (listed.place(field) if listed else None) or (env_name(field) if field in fields.values() else variable)


def process_environment(settings: Settings) -> dict[str, str]:
    """The environment of a child process with these settings: this process's own, with every setting stated."""
    environment = {name: value for name, value in os.environ.items() if name not in dropped(os.environ)}
    for field, value in values(settings).items():
        if value is None:
            environment.pop(env_name(field), None)
        else:
            environment[env_name(field)] = setting_text(value)
    environment[env_name("data")] = str(settings.data.absolute())
    return environment


def drop_foreign() -> None:
    """Take the variables that would reach a library out of this process's environment."""
    for name in dropped(os.environ):
        del os.environ[name]


def without_foreign() -> AbstractContextManager[None]:
    """The same while a block runs, in a process that is not ours alone."""
    return without_dropped(os.environ)


def proxy_for(host: str) -> dict[str, str]:
    """The proxies of the environment for this host. Raises `SettingsError`, which shows no part of a value."""
    try:
        return {} if asked_directly(host, os.environ) else proxies(os.environ)
    except ValueError as error:
        raise SettingsError(str(error)) from None
