"""The commands `attachments list`, `get`, `resend` and `kept`."""

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape
from rich.table import Table

from join_pipeline.cli.output import Json, err, out, print_json
from join_pipeline.cli.verbosity import everywhere
from join_pipeline.errors import SettingsError
from join_pipeline.settings import load_settings

attachments = typer.Typer(
    help="List and save the files of applications; send kept requests again.", no_args_is_help=True
)

Application = Annotated[str | None, typer.Option(help="Application: our id, or remote: followed by JOIN's id.")]
Candidate = Annotated[str | None, typer.Option(help="Candidate: our id, or remote: followed by JOIN's id.")]
DONE: Final = ("sent", "created", "gone")


@attachments.command("list")
@everywhere
def list_attachments(application: Application = None, candidate: Candidate = None, as_json: Json = False) -> None:
    """List the attachments of an application or a candidate: id, type, file name, media type. It asks JOIN."""
    from join_pipeline.actions.attachments import application_attachments, candidate_attachments

    if (application is None) == (candidate is None):
        raise SettingsError("Give exactly one of --application and --candidate.")
    settings = load_settings()
    if application is not None:
        found = application_attachments(settings, application)
    else:
        found = candidate_attachments(settings, candidate or "")
    if as_json:
        print_json(found)
        return
    table = Table("id", "type", "file name", "media type", box=None)
    for one in found:
        table.add_row(one.id, one.type, escape(one.file_name), one.content_type or "–")
    out.print(table)
    for one in found:
        if one.fault:
            err.print(f"{one.id}: {escape(one.fault)}", soft_wrap=True)


@attachments.command()
@everywhere
def get(
    to: Annotated[Path, typer.Option(help="Folder to save into. The command makes it if it is missing.")],
    application: Application = None,
    candidate: Candidate = None,
    attachment: Annotated[str | None, typer.Option(help="Save only the attachment with this id.")] = None,
    as_json: Json = False,
) -> None:
    """Save the files of an application or a candidate. The exit code is 1 if a file could not be downloaded."""
    from join_pipeline.actions.attachments import save_attachments

    if (application is None) == (candidate is None):
        raise SettingsError("Give exactly one of --application and --candidate.")
    saved = save_attachments(
        load_settings(), to, application_id=application, candidate_id=candidate, attachment_id=attachment
    )
    if as_json:
        print_json(saved)
    for one in saved:
        if one.fault:
            err.print(f"[red]not saved[/] {one.id}: {escape(one.fault)}", soft_wrap=True)
        elif not as_json:
            out.print(f"{one.n_bytes:>10,}  {escape(str(one.path))}", soft_wrap=True)
    if any(one.fault for one in saved):
        raise typer.Exit(1)


@attachments.command()
@everywhere
def resend(
    keys: Annotated[list[str] | None, typer.Argument(help="Keys of kept requests. Default: all.")] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Delete the kept requests of these keys instead.")] = False,
    as_json: Json = False,
) -> None:
    """Complete kept requests that JOIN did not take whole. The exit code is 1 if one is still incomplete."""
    from join_pipeline.actions import resend as resends

    settings = load_settings()
    if forget:
        if not keys:
            raise SettingsError("--forget needs the keys of the requests to delete.")
        resends.forget(settings, keys)
        return
    ended = resends.resend(settings, keys or ())
    if as_json:
        print_json(ended)
    else:
        for one in ended:
            out.print(f"{one.key}  {one.ending}: {escape(one.message)}", soft_wrap=True)
        if not ended:
            out.print("Nothing is kept.")
    if any(one.ending not in DONE for one in ended):
        raise typer.Exit(1)


@attachments.command()
@everywhere
def kept(
    key: Annotated[str, typer.Argument(help="Key of the request, as `resend` shows it.")],
    to: Annotated[Path, typer.Option(help="Folder to save into. The command makes it if it is missing.")],
) -> None:
    """Save the files of a kept request that JOIN does not accept, so that you can upload them by hand."""
    from join_pipeline.actions.file_names import new_file
    from join_pipeline.actions.resend import kept_documents

    for name, content in kept_documents(load_settings(), key):
        with new_file(to, name) as (file, placed):
            file.write(content)
        out.print(escape(str(placed[0])), soft_wrap=True)
