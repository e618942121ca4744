"""Settings: the one reader of the environment.

Belongs here: every setting's name, default, check and one-line meaning, and where things lie below the data folder.
Not here: anything that acts on them.
"""

import os
import zoneinfo
from pathlib import Path
from typing import Annotated, Final, Literal, Self

import httpx
import typer
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from join_pipeline.connections.credentials import checked_token, stored_token
from join_pipeline.errors import SettingsError
from join_pipeline.http.network import is_on_this_machine

ENV_NAMES: Final = {
    field: field.upper()
    for field in (
        "join_api_token",
        "join_api_url",
        "kombo_api_key",
        "kombo_integration_id",
        "kombo_api_url",
        "kombo_webhook_secret",
    )
}
PREFIX: Final = "JOIN_PIPELINE_"
SHORTEST_KEY: Final = 16


def _time_zone(name: str) -> str:
    if name not in zoneinfo.available_timezones():
        raise ValueError(f"{name!r} is no IANA time zone; an example is Europe/Zurich")
    return name


def _url(text: str) -> str:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise ValueError("not a URL") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError("needs http:// or https:// and a host")
    try:
        url.host.encode("idna")
    except UnicodeError:
        raise ValueError("the host is no host name") from None
    if "%" in url.host:
        raise ValueError("the host is no host name")
    if url.scheme == "http" and not is_on_this_machine(url.host):
        raise ValueError("needs https://: the token would cross the network in the clear")
    if url.userinfo or url.query or url.fragment:
        raise ValueError("takes no user, query or fragment")
    return text.rstrip("/")


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
    """Everything that can be set, from the environment. Field order is the README's table order."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True, populate_by_name=True
    )

    join_api_token: SecretStr | None = Field(
        None, validation_alias=ENV_NAMES["join_api_token"], description="JOIN's API token, raw, without `Bearer`"
    )
    join_api_url: Annotated[str, AfterValidator(_url)] = Field(
        "https://api.join.com/v2", validation_alias=ENV_NAMES["join_api_url"], description="Where JOIN's API v2 answers"
    )
    source: Literal["join", "kombo"] = Field(
        "join", description="Where syncs read: `join`, or `kombo` for JOIN's data from Kombo; fixed with the first sync"
    )
    kombo_api_key: SecretStr | None = Field(
        None, validation_alias=ENV_NAMES["kombo_api_key"], description="Kombo's API key, without `Bearer`"
    )
    kombo_integration_id: SecretStr | None = Field(
        None, validation_alias=ENV_NAMES["kombo_integration_id"], description="Kombo's id of the integration, `join:…`"
    )
    kombo_api_url: Annotated[str, AfterValidator(_url)] = Field(
        "https://api.kombo.dev/v1",
        validation_alias=ENV_NAMES["kombo_api_url"],
        description="Where Kombo's API answers: another region has another host",
    )
    kombo_webhook_secret: SecretStr | None = Field(
        None,
        validation_alias=ENV_NAMES["kombo_webhook_secret"],
        description="Secret by which `listen` tells Kombo's webhooks from others",
    )
    kombo_staleness_hours: float = Field(
        10.0, ge=0, le=168, description="How old Kombo's answers may be: hours between its own syncs"
    )
    data: Annotated[Path, BeforeValidator(_folder)] = Field(
        Path("data"), description="The data folder; one folder per connection lies in it"
    )
    connection: str = Field(
        "join", pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$", description="Name of the connection: one JOIN company"
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
    timeout_seconds: float = Field(30.0, gt=0, le=600, description="Seconds to wait for one answer of JOIN")
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
    post_url_template: str | None = Field(
        None, description="A job's public URL where JOIN gives none; `{id}` is JOIN's job id"
    )
    report_language: Literal["en", "de"] | None = Field(
        None, description="Language in which the report opens, `en` or `de`; else its reader's own"
    )
    only_created: bool = Field(
        False, description="Whether syncs keep only applications that were created here; fixed with the first sync"
    )
    platform: str | None = Field(
        None, min_length=1, max_length=100, description="Your platform's name, the source of what is created here"
    )
    written_source_csv: Annotated[Path | None, BeforeValidator(_file)] = Field(
        None, description="CSV of your own, `name,source`: which word of JOIN's a source is written as"
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

    @model_validator(mode="after")
    def _selects_at_one_place(self) -> Self:
        if self.only_created and self.source != "join":
            raise ValueError(
                f"{env_name('only_created')} is for the source join: at Kombo the integration has its own switch"
            )
        return self

    @property
    def lake_seed(self) -> str | None:
        """What a new lake is named after, and an old one must be; of Kombo, so that two integrations never mix."""
        if self.source == "kombo" and self.kombo_integration_id is not None:
            return self.kombo_integration_id.get_secret_value().strip()
        return self.integration_id

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

    def token(self) -> str:
        """The API token: the environment's, else the stored one; or a `SettingsError` that says how to set it."""
        text = self.join_api_token.get_secret_value().strip() if self.join_api_token else ""
        if not text:
            text = stored_token(token_file(self.connection)) or ""
        if not text:
            raise SettingsError(
                "JOIN_API_TOKEN is not set. Make a token in JOIN under User Settings > API Credentials, then: "
                "`join-pipeline connect`, or export JOIN_API_TOKEN=…"
            )
        return checked_token(text)

    def kombo_credentials(self) -> tuple[str, str]:
        """API key and integration id, or a `SettingsError` that says how to set them."""
        fields = {"kombo_api_key": self.kombo_api_key, "kombo_integration_id": self.kombo_integration_id}
        given = {name: secret.get_secret_value().strip() if secret else "" for name, secret in fields.items()}
        if missing := [env_name(name) for name, text in given.items() if not text]:
            raise SettingsError(
                f"{' and '.join(missing)} not set. In Kombo's dashboard: the key under Secrets, the id on the "
                "integration's page. Then: export KOMBO_API_KEY=… KOMBO_INTEGRATION_ID=join:…"
            )
        for name, text in given.items():
            if not text.isascii() or not text.isprintable() or " " in text:
                raise SettingsError(f"{env_name(name)} has blanks or characters that it can't have. Copy it again.")
        return given["kombo_api_key"], given["kombo_integration_id"]


def env_name(field: str) -> str:
    """The environment variable behind a field of `Settings`."""
    return ENV_NAMES.get(field, PREFIX + field.upper())


def setting_text(value: object) -> str:
    """A setting's value as the environment has it."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return str(value).lower() if isinstance(value, bool) else str(value)


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment; `overrides` win. A bad value is a `SettingsError` that names the variable."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        faults = []
        for fault in error.errors(include_input=False, include_url=False):
            field = str(fault["loc"][0]) if fault["loc"] else "settings"
            name = field if field.isupper() else env_name(field)
            said = fault["msg"].removeprefix("Value error, ")
            faults.append(f"{name}: {said}" if fault["loc"] else said)
        raise SettingsError("; ".join(faults)) from None


def config_folder() -> Path:
    """The user's config folder: secrets lie here, away from the data."""
    return Path(typer.get_app_dir("join-pipeline", roaming=False))


def pseudonym_key_file() -> Path:
    """Where the pseudonym key lies when the environment has none."""
    return config_folder() / "pseudonym.key"


def token_file(connection: str) -> Path:
    """Where `connect` stores a connection's token; the environment's wins."""
    return config_folder() / "tokens" / connection


def process_environment(settings: Settings) -> dict[str, str]:
    """The environment for a process that is to have these settings: this one's, with every setting written out."""
    environment = dict(os.environ)
    for field in Settings.model_fields:
        value = getattr(settings, field)
        if value is None:
            environment.pop(env_name(field), None)
        else:
            environment[env_name(field)] = setting_text(value)
    environment[env_name("data")] = str(settings.data.absolute())
    return environment
