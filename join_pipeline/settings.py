"""Settings: the only module that reads the environment.

Belongs here: the name, default, check and one-line meaning of each setting that holds for every source. Not here: the
options of one source (sources), the paths below the data folder (places), anything that acts on settings.
"""

import os
import re
import zoneinfo
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal, Self, TypeVar, cast

import typer
from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from join_pipeline.environment import (
    asked_directly,
    dropped,
    file_of,
    folder_of,
    in_words,
    misspelt,
    proxies,
    without_dropped,
)
from join_pipeline.errors import SettingsError
from join_pipeline.places import Places
from join_pipeline.privacy import PrivacySettings
from join_pipeline.sources.options import Options
from join_pipeline.sources.registry import DEFAULT, SOURCES

PREFIX: Final = "JOIN_PIPELINE_"
SHORTEST_KEY: Final = 16
NO_ZONES: Final = frozenset({"localtime", "posixrules", "Factory", "leapseconds"})
UNITS: Final = {"MB": 10**6, "GB": 10**9, "MiB": 2**20, "GiB": 2**30}
MOST_MEMORY: Final = 10**15
_MEMORY: Final = re.compile(r"([1-9][0-9]*(?:\.[0-9]+)?)(MB|GB|MiB|GiB)")
_CONNECTION: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
OptionsT = TypeVar("OptionsT", bound=Options)


def _time_zone(name: str) -> str:
    # the files of a machine's own zone are listed, too; what they hold differs from machine to machine
    if name in NO_ZONES or name not in zoneinfo.available_timezones():
        raise ValueError("is not an IANA time zone; an example is Europe/Zurich")
    return name


def _source(name: str) -> str:
    if name not in SOURCES:
        raise ValueError(f"is not a source; the sources are {', '.join(SOURCES)}")
    return name


def _key(key: SecretStr) -> SecretStr:
    if len(key) < SHORTEST_KEY:
        raise ValueError(f"needs at least {SHORTEST_KEY} characters")
    return key


def _memory(text: str) -> str:
    found = _MEMORY.fullmatch(text)
    if found is None:
        raise ValueError(
            "needs a number above zero and a unit (MB, GB, MiB or GiB), without a blank; an example is 2GB"
        )
    if float(found[1]) * UNITS[found[2]] > MOST_MEMORY:
        raise ValueError("is more memory than any machine has")
    return text


def _name(name: str) -> str:
    if _CONNECTION.fullmatch(name) is None:
        raise ValueError(
            "needs 1 to 63 lowercase letters, digits, hyphens and underscores, first a letter or a digit, as in acme-2"
        )
    return name


class Settings(Places, PrivacySettings, BaseSettings):
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

    source: Annotated[str, AfterValidator(_source)] = Field(
        DEFAULT,
        description="The source of syncs, fixed with the first one: "
        + "; ".join(f"`{name}`, {entry.doc}" for name, entry in SOURCES.items()),
    )
    data: Annotated[Path, BeforeValidator(folder_of)] = Field(
        Path("data"), description="The data folder; it has one folder per connection"
    )
    connection: Annotated[str, AfterValidator(_name)] = Field(
        "join", description="Name of the connection; a connection is one company"
    )
    integration_id: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Seed of all ids, fixed with the first sync; without it, a random one",
    )
    pseudonym_key: Annotated[SecretStr, AfterValidator(_key)] | None = Field(
        None, description="Secret key of the pseudonyms; without it, a 0600 file in the user's config folder holds one"
    )
    time_zone: Annotated[str, AfterValidator(_time_zone)] = Field(
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
    team: Annotated[str, AfterValidator(_name)] = Field(
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
    memory_limit: Annotated[str, AfterValidator(_memory)] = Field(
        "2GB", description="Memory that DuckDB may use at most"
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
    def token_file(self) -> Path:
        """Where `connect` keeps the connection's token. A token in the environment takes precedence."""
        return config_folder() / "tokens" / self.connection


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


def load_settings(**overrides: object) -> Settings:
    """Read the settings from the environment; `overrides` take precedence.

    Raises `SettingsError` for faulty values. It names each variable and never shows its value.
    """
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
    """A type with the same options that reads those from the environment that are not given."""
    return type(
        kind.__name__,
        (kind, BaseSettings),
        {"model_config": SettingsConfigDict(env_ignore_empty=True), "__module__": __name__},
    )


def _faults_of(error: ValidationError) -> list[str]:
    """The message of each fault, with its variable and without its value."""
    faults = []
    for fault in error.errors(include_input=False, include_url=False):
        said = in_words(fault["type"], fault.get("ctx", {}), fault["msg"].removeprefix("Value error, "))
        if fault["loc"]:
            field = str(fault["loc"][0])
            said = f"{field if field.isupper() else env_name(field)}: {said}"
        faults.append(said)
    return faults


def config_folder() -> Path:
    """The user's config folder. Secrets lie here, outside of the data folder."""
    try:
        found = Path(typer.get_app_dir("join-pipeline", roaming=False)).expanduser()
        # XDG_CONFIG_HOME counts only as a whole path
        return found if found.is_absolute() else Path("~/.config/join-pipeline").expanduser()
    except RuntimeError:
        raise SettingsError("HOME is not set and this user has no home folder. Set HOME or XDG_CONFIG_HOME.") from None


def pseudonym_key_file() -> Path:
    """Where the pseudonym key lies if the environment has none."""
    return config_folder() / "pseudonym.key"


def creation_key_file() -> Path:
    """Where the key of the journal of creations lies, once the pseudonym key was rotated."""
    return config_folder() / "creation.key"


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
