"""The options of the source JOIN."""

import re
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, Field, SecretStr

from join_pipeline.connections.credentials import checked_token, stored_token
from join_pipeline.errors import SettingsError
from join_pipeline.http.network import checked_url
from join_pipeline.sources.options import Options

NAME: Final = "join"
TOKEN_HOSTS_VARIABLE: Final = "JOIN_PIPELINE_TOKEN_HOSTS"  # noqa: S105  the variable's name
TOKEN_VARIABLE: Final = "JOIN_API_TOKEN"  # noqa: S105  the variable's name


def _urls(text: str) -> tuple[str, ...]:
    """The addresses of hosts in a list: `files.example.org`, or with a port. Raises `ValueError` with the reason."""
    import httpx  # noqa: PLC0415  a command without the network needs none

    urls = tuple(checked_url(one if "://" in one else f"https://{one}") for one in re.split(r"[,;\s]+", text) if one)
    for url in map(httpx.URL, urls):
        if url.path != "/" or "*" in url.host:
            raise ValueError("needs names of hosts, separated by commas: no paths and no patterns")
    return urls


def _hosts(text: str) -> str:
    _urls(text)
    return text


class JoinOptions(Options):
    """JOIN's own options."""

    join_api_token: SecretStr | None = Field(
        None, validation_alias=TOKEN_VARIABLE, description="JOIN's API token, raw, without `Bearer`"
    )
    join_api_url: Annotated[str, AfterValidator(checked_url)] = Field(
        "https://api.join.com/v2", validation_alias="JOIN_API_URL", description="Address of JOIN's API v2"
    )
    token_hosts: Annotated[str, AfterValidator(_hosts)] | None = Field(
        None,
        validation_alias=TOKEN_HOSTS_VARIABLE,
        description="Further hosts that get the token where JOIN's files lie on them, separated by commas",
    )
    post_url_template: str | None = Field(
        None,
        validation_alias="JOIN_PIPELINE_POST_URL_TEMPLATE",
        description="Template of a job's public URL, if JOIN sends none; `{id}` is JOIN's job id",
    )
    only_created: bool = Field(
        False,
        validation_alias="JOIN_PIPELINE_ONLY_CREATED",
        description="Whether syncs keep only applications that were created here; fixed with the first sync",
    )

    def check_source(self, chosen: str) -> None:
        if self.only_created and chosen != NAME:
            raise ValueError(
                f"JOIN_PIPELINE_ONLY_CREATED is for the source {NAME}: at {chosen} the integration has its own switch"
            )

    @property
    def token_urls(self) -> tuple[str, ...]:
        """The addresses of the hosts that get the token besides the API's own."""
        return _urls(self.token_hosts or "")

    @property
    def is_token_set(self) -> bool:
        """Whether the environment gives a token."""
        return self.join_api_token is not None and bool(self.join_api_token.get_secret_value().strip())

    def token(self, kept: Path) -> str:
        """The API token of the environment, else of the file `kept`. Raises `SettingsError` if there is none."""
        text = self.join_api_token.get_secret_value().strip() if self.join_api_token else ""
        text = text or stored_token(kept) or ""
        if not text:
            raise SettingsError(
                f"{TOKEN_VARIABLE} is not set. One of several connections has it by `join-pipeline connect "
                "--connection NAME`, or where its entry says. Else make a token in JOIN under User Settings > API "
                f"Credentials, then: `join-pipeline connect`, or export {TOKEN_VARIABLE}=…"
            )
        return checked_token(text, TOKEN_VARIABLE)
