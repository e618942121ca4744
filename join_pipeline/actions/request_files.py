"""Actions whose request and answer are files, for callers that store what passes through them.

An orchestrator stores its configuration, logs and metadata. It gets a file's name, ids and counts, and nothing of a
person.

Belongs here: reading requests from files and writing answers to files. Not here: the actions themselves (create,
attachments), Dagster's jobs (defs).

    <data>/<connection>/actions/requests/<name>      0600, written by the caller
    <data>/<connection>/actions/answers/<name>       0600, written here
    <data>/<connection>/actions/attachments/<name>/  0700, with the files
"""

import os
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from join_pipeline.actions.attachments import save_attachments
from join_pipeline.actions.create import as_candidate, create_application
from join_pipeline.csv_files import decoded
from join_pipeline.errors import InputError, SourceError
from join_pipeline.lake.files import write_whole
from join_pipeline.settings import Settings

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
Figures = dict[str, str | int]


def create_from_file(settings: Settings, name: str, key: str | None = None, *, is_candidate: bool = False) -> Figures:
    """Create what `requests/<name>` describes. Returns ids and counts; the whole answer is in `answers/<name>`."""
    request = _read_request_file(settings.actions / "requests" / _checked_name("request", name))
    created = create_application(settings, request, key=key)
    answer = settings.actions / "answers" / name
    write_whole(answer, msgspec.json.encode(as_candidate(created) if is_candidate else created))
    return {
        "application_id": created.application["id"],
        "candidate_id": created.candidate["id"] or "",
        "warnings": len(created.warnings),
        "created_before": int(created.is_replay),
        "answer": str(answer),
    }


def download_to_folder(
    settings: Settings, name: str, application_id: str | None = None, candidate_id: str | None = None
) -> Figures:
    """Save attachments in `attachments/<name>`. Returns counts. Raises `SourceError` if a download failed."""
    folder = settings.actions / "attachments" / _checked_name("folder", name)
    saved = save_attachments(settings, folder, application_id=application_id, candidate_id=candidate_id)
    faults = [one.fault for one in saved if one.fault]
    if faults:
        raise SourceError(f"{len(faults)} of {len(saved)} files could not be saved: {' '.join(dict.fromkeys(faults))}")
    return {"files": len(saved), "bytes": sum(one.n_bytes for one in saved), "folder": str(folder)}


create_candidate_from_file = partial(create_from_file, is_candidate=True)
ACTIONS: Final[dict[str, tuple[Callable[..., Figures], str]]] = {
    "create_application": (
        create_from_file,
        "Create an application at JOIN, exactly once. The answer lies in actions/answers.",
    ),
    "create_candidate": (
        create_candidate_from_file,
        "Create a candidate at JOIN, by an application, exactly once. The answer lies in actions/answers.",
    ),
    "fetch_attachments": (
        download_to_folder,
        "Save the files of an application or of a candidate in actions/attachments.",
    ),
}
"""The actions by name, each with its description."""


def _checked_name(field: str, name: str) -> str:
    if not NAME.fullmatch(name):
        raise InputError(field, "must be a plain name of letters, digits, dots, dashes and underscores")
    return name


def _read_request_file(path: Path) -> dict[str, Any]:
    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise InputError("request", f"{path} can be read by others. Run: chmod 600 {path}")
        request = msgspec.json.decode(decoded(path.read_bytes(), f"request: {path}"))
    except OSError as error:
        raise InputError("request", f"{path} can't be read ({error.strerror})") from None
    except msgspec.DecodeError:
        raise InputError("request", f"{path} is not JSON") from None
    if not isinstance(request, dict):
        raise InputError("request", f"{path} must hold one JSON object")
    return request
