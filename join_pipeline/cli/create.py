"""The commands `create application` and `create candidate`."""

from base64 import b64encode
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from join_pipeline.cli.arguments import file_content, json_value, pair, text_content
from join_pipeline.cli.output import Json, err, out, print_json
from join_pipeline.cli.verbosity import everywhere
from join_pipeline.errors import InputError
from join_pipeline.settings import load_settings

create = typer.Typer(help="Create an application or a candidate at JOIN, exactly once.", no_args_is_help=True)

Request = Annotated[
    str | None,
    typer.Option("--request", help="JSON file of the whole request; - reads standard input, so that it is in no file."),
]
Job = Annotated[str | None, typer.Option("--job", help="Job: our id, or remote: followed by JOIN's id.")]
FirstName = Annotated[str | None, typer.Option(help="First name.")]
LastName = Annotated[str | None, typer.Option(help="Last name.")]
Email = Annotated[str | None, typer.Option(help="E-mail address.")]
Phone = Annotated[str | None, typer.Option(help="Phone number, with + and the country code.")]
Attach = Annotated[list[str] | None, typer.Option(help="File, TYPE=FILE, for example CV=cv.pdf. Repeat it for more.")]
AttachUrl = Annotated[list[str] | None, typer.Option(help="File to download first, TYPE=NAME=URL.")]
SourceName = Annotated[str | None, typer.Option(help="Your name of the source. Default: JOIN_PIPELINE_PLATFORM.")]
SourceKey = Annotated[str | None, typer.Option(help="Unified key of the source.")]
SourceId = Annotated[str | None, typer.Option(help="JOIN's word for the source.")]
Key = Annotated[str | None, typer.Option(help="Key of this request. Default: e-mail address and job.")]


@create.command()
@everywhere
def application(
    request: Request = None,
    job: Job = None,
    first_name: FirstName = None,
    last_name: LastName = None,
    email: Email = None,
    phone: Phone = None,
    attach: Attach = None,
    attach_url: AttachUrl = None,
    source_name: SourceName = None,
    source_key: SourceKey = None,
    source_id: SourceId = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Create an application with its candidate. The result is the application, as a sync will show it."""
    from join_pipeline.actions.create import create_application

    source = {"name": source_name, "unified_key": source_key, "id": source_id}
    asked = _request(request, job, first_name, last_name, email, phone, attach, attach_url, source)
    created = create_application(load_settings(), asked, key=key)
    if as_json:
        print_json(created)
    else:
        _print_created("application", created.application, created.warnings)


@create.command()
@everywhere
def candidate(
    request: Request = None,
    job: Job = None,
    first_name: FirstName = None,
    last_name: LastName = None,
    email: Email = None,
    phone: Phone = None,
    attach: Attach = None,
    attach_url: AttachUrl = None,
    source_name: SourceName = None,
    source_key: SourceKey = None,
    source_id: SourceId = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Create a candidate with an application, as JOIN has no other way. The result is both."""
    from join_pipeline.actions.create import create_candidate

    source = {"name": source_name, "unified_key": source_key, "id": source_id}
    asked = _request(request, job, first_name, last_name, email, phone, attach, attach_url, source)
    created = create_candidate(load_settings(), asked, key=key)
    if as_json:
        print_json(created)
    else:
        _print_created("candidate", created["candidate"], created["warnings"])


def _request(
    request: str | None,
    job: str | None,
    first_name: str | None,
    last_name: str | None,
    email: str | None,
    phone: str | None,
    attach: list[str] | None,
    attach_url: list[str] | None,
    source: dict[str, str | None],
) -> dict[str, Any]:
    """The request as a JSON object: the file's values, which the options override."""
    asked: dict[str, Any] = {}
    if request is not None:
        asked = json_value("--request", text_content("--request", request))
        if not isinstance(asked, dict):
            raise InputError("--request", "must hold one JSON object")
    parts = {
        "candidate": {"first_name": first_name, "last_name": last_name, "email_address": email, "phone_number": phone},
        "application": {"job_id": job},
        "source": source,
    }
    for part, values in parts.items():
        given = {name: value for name, value in values.items() if value is not None}
        if given and isinstance(asked.get(part) or {}, dict):
            asked[part] = {**(asked.get(part) or {}), **given}
    files = [_attached(text) for text in attach or ()] + [_attached_url(text) for text in attach_url or ()]
    if files:
        asked["attachments"] = [*(asked.get("attachments") or []), *files]
    return asked


def _attached(text: str) -> dict[str, str]:
    kind, path = pair("--attach", text)
    return {"type": kind, "name": Path(path).name, "data": b64encode(file_content("--attach", path)).decode()}


def _attached_url(text: str) -> dict[str, str]:
    kind, rest = pair("--attach-url", text)
    name, url = pair("--attach-url", rest)
    return {"type": kind, "name": name, "data_url": url}


def _print_created(what: str, row: dict[str, Any], warnings: list[str]) -> None:
    out.print(f"{what} {row['id']} (remote:{row['remote_id']})", highlight=False, soft_wrap=True)
    for warning in warnings:
        err.print(f"[yellow]warning[/] {escape(warning)}", soft_wrap=True)
