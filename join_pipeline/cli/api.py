"""The command `api`."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from join_pipeline.cli.arguments import file_content, input_content, json_value, pair, text_of
from join_pipeline.cli.output import Json, err, print_json
from join_pipeline.errors import SettingsError
from join_pipeline.settings import load_settings


class Method(StrEnum):
    """The methods of HTTP."""

    GET = "GET"
    HEAD = "HEAD"
    OPTIONS = "OPTIONS"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"


def api(
    method: Annotated[Method, typer.Argument(case_sensitive=False, help="HTTP method.")],
    path: Annotated[str, typer.Argument(help="Path below the API's base URL, for example /jobs.")],
    param: Annotated[list[str] | None, typer.Option(help="Query parameter, name=value. Repeat it for more.")] = None,
    header: Annotated[
        list[str] | None, typer.Option(help="Header, name: value. The token's headers can't be set.")
    ] = None,
    data: Annotated[str | None, typer.Option(help="JSON to send; @FILE reads a file, - reads standard input.")] = None,
    form: Annotated[list[str] | None, typer.Option(help="Part of a multipart form, name=value or name=@FILE.")] = None,
    base64: Annotated[bool, typer.Option("--base64", help="Print the response's body as base64.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Confirm a call that can change something.")] = False,
    as_json: Json = False,
) -> None:
    """Send any request to JOIN's API with your token. An error status of JOIN is a result and no error.

    The command prints the response's body. With `--json` it prints URL, status, headers and data.
    """
    from join_pipeline.actions import passthrough

    if not passthrough.is_read(method) and not yes:
        raise SettingsError(f"{method} can change something at JOIN. Add --yes to confirm it.")
    answered = passthrough.call(
        load_settings(),
        method,
        path,
        params=dict(pair("--param", text) for text in param or ()) or None,
        headers=dict(pair("--header", text, ":") for text in header or ()),
        data=None if data is None else json_value("--data", _text_of(data)),
        response_as_base64=base64,
        multipart_form_data=[_part(text) for text in form] if form else None,
    )
    if as_json:
        print_json(answered)
        return
    err.print(f"{answered.status} {answered.url}", highlight=False, markup=False, soft_wrap=True)
    if isinstance(answered.data, str):
        sys.stdout.write(answered.data + "\n")
    elif answered.data is not None:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(answered.data), indent=2).decode() + "\n")


def _part(text: str) -> Any:
    from join_pipeline.actions.passthrough import FormPart

    name, value = pair("--form", text)
    if not value.startswith("@"):
        return FormPart(name=name, value=value.encode())
    path = value.removeprefix("@")
    return FormPart(name=name, value=file_content("--form", path), file_name=Path(path).name)


def _text_of(text: str) -> str:
    if text == "-":
        return text_of("--data", input_content("--data"))
    return text_of("--data", file_content("--data", text.removeprefix("@"))) if text.startswith("@") else text
