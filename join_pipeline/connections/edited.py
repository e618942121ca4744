"""Adding and removing a connection in connections.toml. Comments and the order of the other entries stay.

Belongs here: the text of an entry, where an entry ends, and that the edited file can be read. Not here: what an entry
may hold (listed).
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from join_pipeline.connections.listed import SECRETS, Kinds, Path_, faults_of, parse, parts_of
from join_pipeline.errors import InputError, LakeError, SettingsError, foreign
from join_pipeline.lake.files import taking_turns, write_whole

HEAD = "# The connections of join-pipeline: a table per company. No secret stands here, only where each one lies.\n"
_HEADER = re.compile(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?")


def add(
    file: Path, kinds: Kinds, name: str, settings: Mapping[str, object], secrets: Mapping[str, tuple[str, str]]
) -> None:
    """Add an entry at the end of the file, which is made if it is not there. Raises `InputError` with what is wrong."""
    with taking_turns(file.with_name(f".{file.name}.lock")):
        text = _text(file)
        if name in parse(file, text, kinds):
            raise InputError("name", f"{name} is in {file} already. Edit it there, or remove it first.")
        origins = {field: {kind: where} for field, (kind, where) in secrets.items()}
        edited = f"{text.rstrip() or HEAD.rstrip()}\n\n{text_of(name, settings, origins)}"
        entry = parse(file, edited, kinds)[name]
        if entry.faults:
            raise InputError("connection", "; ".join(fault.partition(": ")[2] for fault in entry.faults))
        write_whole(file, edited.encode())


def text_of(name: str, settings: Mapping[str, object], secrets: Mapping[str, Mapping[str, str]]) -> str:
    """An entry as TOML."""
    lines = [f"[{_key(name)}]", *(f"{_key(field)} = {_value(value)}" for field, value in settings.items())]
    if secrets:
        lines += ["", f"[{_key(name)}.{SECRETS}]"]
    for field, origin in secrets.items():
        lines.append(f"{_key(field)} = {{{', '.join(f'{_key(kind)} = {_value(to)}' for kind, to in origin.items())}}}")
    return "\n".join(lines) + "\n"


def text_of_companies(companies: Mapping[str, Any], folder: Path, kinds: Kinds) -> str:
    """Companies that somebody's YAML tells, as TOML. Paths of secrets are relative to the YAML's folder.

    Raises `SettingsError` with all that is wrong: nothing of it is written, because a secret may stand there.
    """
    faults = [fault for name, entry in companies.items() for fault in faults_of(name, entry or {}, kinds)]
    if faults:
        raise SettingsError("; ".join(f"connections.{fault}" for fault in faults))
    texts = []
    for name, stated in companies.items():
        entry = stated or {}
        secrets = {
            field: {kind: str(folder / where) if kind == "file" else where for kind, where in origin.items()}
            for field, origin in entry.get(SECRETS, {}).items()
        }
        texts.append(text_of(name, {field: value for field, value in entry.items() if field != SECRETS}, secrets))
    return "\n".join(texts)


def remove(file: Path, kinds: Kinds, name: str) -> None:
    """Take an entry out of the file. The connection's data stays. Raises `InputError` if there is no such entry."""
    with taking_turns(file.with_name(f".{file.name}.lock")):
        text = _text(file)
        before = parse(file, text, kinds)
        if name not in before:
            known = ", ".join(before) or "none"
            raise InputError("name", f"{name} is not in {file}. The connections there: {known}.")
        kept, is_its = [], False
        for line in text.splitlines(keepends=True):
            if header := _HEADER.fullmatch(line.rstrip("\r\n")):
                is_its = _first(header[1]) == name
            if not is_its:
                kept.append(line)
        edited = "".join(kept)
        after = parse(file, edited, kinds)
        if {one: entry.settings for one, entry in before.items() if one != name} != {
            one: entry.settings for one, entry in after.items()
        }:
            raise InputError("name", f"{name} is not a table of its own in {file}. Remove it there by hand.")
        write_whole(file, edited.encode())


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig") if file.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise LakeError(f"{file} can't be read ({foreign(error)}).") from None


def _first(dotted: str) -> str:
    parts: Path_ = parts_of(dotted)
    return parts[0] if parts else ""


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _value(name)


def _value(value: object) -> str:
    """A value as TOML writes it: a text is as in JSON, a number and a truth value are the same in both."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
