"""The commands `person find`, `show`, `export`, `erase`, `verify` and `reapply`."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.markup import escape

from join_pipeline.cli.arguments import text_content
from join_pipeline.cli.output import Json, out, print_json
from join_pipeline.cli.progress import working
from join_pipeline.cli.verbosity import everywhere, say
from join_pipeline.errors import SettingsError
from join_pipeline.settings import load_settings

person = typer.Typer(help="What is held about one person: find, show, export, erase, verify.", no_args_is_help=True)

From = Annotated[
    str | None,
    typer.Option(
        "--file",
        help="File with an e-mail address, candidate:, application: or user: and an id of the source, our id or a"
        " pseudonym, one a line; - reads standard input. Default: the command asks. No address is in a shell's history"
        " then.",
    ),
]
By = Annotated[str | None, typer.Option("--by", help="Who asked for it, for the logs, beside the account's name.")]
Also = Annotated[
    list[Path] | None,
    typer.Option("--also", help="A folder or file elsewhere to look through, too, such as saved attachments."),
]
FOUND: Final = 1


class ExportLanguage(StrEnum):
    """The languages of an export."""

    de = "de"
    en = "en"


def _given(file: str | None) -> list[str]:
    """The words that tell who is meant. They are never arguments."""
    if file is None and sys.stdin.isatty():
        return [typer.prompt("E-mail address or id (it is not shown)", hide_input=True, err=True)]
    lines = text_content("--file", file or "-").splitlines()
    if not any(line.strip() for line in lines):
        raise SettingsError("--file: nothing was given. Give an e-mail address or an id, one a line.")
    return lines


@person.command()
@everywhere
def find(file: From = None, by: By = None, as_json: Json = False) -> None:
    """Say which candidates and applications a person is, by our ids. It prints no name."""
    from join_pipeline.people import commands
    from join_pipeline.people.held import ids_of
    from join_pipeline.pipeline import feeds_of

    found = commands.find(load_settings(), _given(file), feeds_of, by)
    if as_json:
        print_json({model: ids_of(found, model) for model in found.ids} | {"users": sorted(found.users)})
        return
    for model, records in found.ids.items():
        for one in records:
            out.print(f"{model.removesuffix('s')} {one}", highlight=False)
    for one in sorted(found.users):
        out.print(f"employee {one}", highlight=False)
    if not (found.is_known or found.users):
        out.print("Nobody is known by that.")


@person.command()
@everywhere
def show(file: From = None, also: Also = None, by: By = None, as_json: Json = False) -> None:
    """Show what is held about a person: names, contacts, where it lies, how long, and what an erasure would leave."""
    from join_pipeline.people import commands
    from join_pipeline.pipeline import feeds_of

    with working("looking through every file"):
        held = commands.show(load_settings(), _given(file), feeds_of, by, also=also or ())
    if as_json:
        print_json(held)
        return
    for label, values in (("name", held.names), ("contact", held.contacts)):
        for value in values:
            out.print(f"{label:<12} {escape(value)}", highlight=False, soft_wrap=True)
    for label, records in (("candidate", held.candidates), ("application", held.applications)):
        for one in records:
            out.print(f"{label:<12} {one['id']} (at the source: {one['remote_id'] or '–'})", highlight=False)
    for user in held.users:
        out.print(f"{'employee':<12} {user}", highlight=False)
    out.print("\nIt lies in:" if held.places else "\nNo file holds it.")
    for place in held.places:
        files = f"{len(place.files)} files" if len(place.files) > 1 else place.files[0]
        out.print(f"  {place.place}: {files}", highlight=False, soft_wrap=True)
        out.print(f"    stays {place.stays}; erase: {place.erase}", highlight=False, soft_wrap=True)
    _print_list("\nAn erasure leaves:", held.erase_leaves)
    _print_list("\nOut of reach:", held.outside)
    _print_list("\nOnly the bytes could be looked through of:", held.unread)


@person.command()
@everywhere
def export(
    to: Annotated[Path, typer.Option(help="The archive to write, a .zip file that is not there yet.")],
    file: From = None,
    language: Annotated[ExportLanguage, typer.Option(help="Language of the page for reading.")] = ExportLanguage.en,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Write an archive of all that is held about a person (Art. 15 GDPR): JSON, and a page for reading."""
    from join_pipeline.people import commands
    from join_pipeline.people.export_page import Language
    from join_pipeline.pipeline import feeds_of

    with working("looking through every file"):
        n_bytes = commands.export_person(load_settings(), _given(file), to, Language(language), feeds_of, by)
    if as_json:
        print_json({"path": str(to), "bytes": n_bytes})
    else:
        out.print(f"{n_bytes:,} bytes: {escape(str(to))}", highlight=False, soft_wrap=True)


@person.command()
@everywhere
def verify(file: From = None, also: Also = None, by: By = None, as_json: Json = False) -> None:
    """Look for a person in every byte and every unpacked value. The exit code is 0 if nothing is found, 1 if it is."""
    from join_pipeline.people import commands
    from join_pipeline.pipeline import feeds_of

    with working("looking through every file"):
        searched = commands.verify(load_settings(), _given(file), feeds_of, by, also=also or ())
    if as_json:
        print_json({"found": bool(searched.hits), **_plain(searched)})
    else:
        for hit in searched.hits:
            out.print(f"found  {hit.path}  {escape(hit.inside)}", highlight=False, soft_wrap=True)
        _print_list("Only the bytes could be looked through of:", searched.unread)
        said = "Found." if searched.hits else "Not found."
        out.print(f"{said} {searched.n_files:,} files with {searched.n_bytes:,} bytes were looked through.")
    if searched.hits:
        raise typer.Exit(FOUND)


@person.command()
@everywhere
def erase(
    file: From = None,
    everything: Annotated[
        bool, typer.Option("--everything", help="Remove the history, too, which stays under random keys otherwise.")
    ] = False,
    undo: Annotated[
        list[str] | None,
        typer.Option("--undo", help="Number of a receipt: let these people in again. What was erased stays erased."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before it.")] = False,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Erase a person at once from every file, build anew, and leave a receipt without personal data."""
    from join_pipeline import pipeline
    from join_pipeline.people import commands
    from join_pipeline.people.employee import refuse_erasure

    settings = load_settings()
    if undo:
        n = commands.undo(settings, undo)
        if as_json:
            print_json({"undone": n})
        else:
            out.print(f"{n} erasures were taken back. The next full sync reads what the source still has.")
        return
    given = _given(file)
    found = commands.find(settings, given, pipeline.feeds_of, by)
    refuse_erasure(found)
    n_candidates, n_applications = len(found.ids["candidates"]), len(found.ids["applications"])
    say(f"{n_candidates} candidates and {n_applications} applications are erased.")
    if not yes and not typer.confirm("Erase them? This can't be undone.", err=True):
        raise typer.Exit(1)
    with working("erasing, then building anew"):
        receipt = commands.erase_person(settings, given, pipeline.feeds_of, pipeline.build, by, everything=everything)
    _print_receipt(receipt, as_json=as_json)


@person.command()
@everywhere
def reapply(by: By = None, as_json: Json = False) -> None:
    """After a backup was restored: erase everybody again who is in the list of erased people."""
    from join_pipeline import pipeline
    from join_pipeline.people import commands

    with working("erasing, then building anew"):
        receipt = commands.reapply(load_settings(), pipeline.feeds_of, pipeline.build, by)
    _print_receipt(receipt, as_json=as_json)


def _print_receipt(receipt: dict[str, Any] | None, *, as_json: bool) -> None:
    if as_json:
        print_json(receipt)
    elif receipt is None:
        out.print("Nobody who was erased is in the lake.")
    else:
        out.print(f"Erased. The receipt {receipt['number']} is in erasures.jsonl.", highlight=False)
        out.print(f"{len(receipt['files'])} files were written anew or removed. Check it: join-pipeline person verify")


def _print_list(title: str, lines: tuple[str, ...]) -> None:
    if lines:
        out.print(title)
    for line in lines:
        out.print(f"  {escape(line)}", highlight=False, soft_wrap=True)


def _plain(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}
