"""JOIN with a canary in every value about a person: a proxy before the sandbox inserts them.

Belongs here: which of JOIN's values get a canary, and finding canaries in files. Not here: what must hold none (tests).
"""

import contextlib
import http.server
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pyarrow.parquet as pq

CANARY = "kanarie"
"""Lower case: JOIN's e-mail addresses are lower-cased on their way."""

Record = dict[str, Any]


@dataclass
class Join:
    """The proxy: `erased` applications are listed no more, and their own GET is a 404; `broken` ones lack their id.

    `says` are notes by application.
    """

    upstream: str
    url: str = ""
    erased: set[int] = field(default_factory=set)
    broken: set[int] = field(default_factory=set)
    says: dict[int, str] = field(default_factory=dict)

    def move(self, now: datetime) -> None:
        """Set the clock of the company behind it."""
        clock = {"now": now.isoformat()}
        httpx.post(f"{self.upstream}/control/clock", json=clock, trust_env=False).raise_for_status()

    def answer(self, path: str, body: bytes) -> bytes | None:
        """JOIN's answer with canaries; None for what was erased."""
        room = path.partition("?")[0].removeprefix("/v2").split("/")[1]
        change: Callable[[Record], Record] | None = {"applications": application, "jobs": job}.get(room)
        if change is None:
            return body
        records = json.loads(body)
        if isinstance(records, dict):
            is_gone = room == "applications" and records.get("id") in self.erased
            return None if is_gone else json.dumps(change(records)).encode()
        if room == "applications":
            records = [record for record in records if record["id"] not in self.erased]
        changed = [change(record) for record in records]
        if room == "applications":
            changed = [record | {"notes": self.says.get(record["id"], record["notes"])} for record in changed]
            changed = [record | ({"id": None} if record["id"] in self.broken else {}) for record in changed]
        return json.dumps(changed).encode()


def canary(kind: str, number: object) -> str:
    """A canary that tells where it was let in."""
    return f"{CANARY}-{kind}-{number}"


def application(record: Record) -> Record:
    number, person = record["id"], record["candidate"]
    who = person["id"]
    person |= {
        "firstName": canary("first", who),
        "lastName": canary("last", who),
        "email": f"{canary('mail', who)}@example.com",
        "phoneNumber": canary("phone", who),
        "country": {"name": canary("country", who), "iso3166": "CH"},
        "professionalLinks": [{"type": canary("link", who), "url": f"https://example.com/{canary('url', who)}"}],
        # one of them says something of this person alone
        "tags": [*(canary("tag", tag) for tag in person.get("tags") or []), canary("own-tag", who)],
        "coverNote": canary("person-text", who),  # keys that nobody knows yet
    }
    for place, question in enumerate(record["screeningQuestions"]):
        question |= {
            "answer": canary("answer", f"{number}.{place}"),
            "file": f"https://example.com/{canary('file', number)}",
        }
    record["currentStage"]["remark"] = canary("stage-text", record["currentStage"]["id"])
    for attachment in record["attachments"]:
        attachment["url"] = f"https://example.com/{canary('attachment', number)}?signature=x"
    return record | {"notes": canary("note", number), "integrationExternalId": canary("external", number)}


def job(record: Record) -> Record:
    number = record["id"]
    people = [record["contact"]] + [member["hiringTeamMember"] for member in record.get("hiringTeam", [])]
    for place, person in enumerate(people):
        if person is not None:
            who = f"{number}.{place}"
            person |= {
                "name": f"{canary('contact', who)} {canary('surname', who)}",
                "position": canary("position", who),
            }
            person["email"] = f"{canary('contact-mail', who)}@example.com"
    if "description" in record:
        record["description"] = f"<p>{canary('description', number)}</p>"
    return record | {"internalRemark": canary("job-text", number)}


@contextlib.contextmanager
def join(upstream: str) -> Iterator[Join]:
    """Serve it before a sandbox."""
    api, client = Join(upstream), httpx.Client(base_url=upstream, trust_env=False)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            got = client.get(self.path, headers={"Authorization": self.headers["Authorization"]})
            status, body = got.status_code, api.answer(self.path, got.content) if got.is_success else got.content
            if body is None:
                status, body = 404, b'{"message": "no such application"}'
            self.send_response_only(status)
            for name in ("Date", "X-Sandbox-Clock"):
                self.send_header(name, got.headers[name])
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    api.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        client.close()


def texts(path: Path) -> str:
    """Everything that a file says: its bytes and, of Parquet and DuckDB, every value that is stored, unpacked."""
    said = [path.read_bytes().decode("latin-1")]
    if path.suffix == ".parquet":
        said.append(str(pq.read_table(path).to_pylist()))
    elif path.suffix == ".duckdb":
        with contextlib.closing(duckdb.connect(path, read_only=True)) as con:
            tables = con.execute("SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal").fetchall()
            said += [str(con.execute(f'FROM "{schema}"."{table}"').fetchall()) for schema, table in tables]
    return "\n".join(said)


def found_in(folder: Path, pattern: str = CANARY, but: tuple[Path, ...] = ()) -> dict[str, list[str]]:
    """Below a folder, the files in which the pattern is found, and what was found."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not any(path.is_relative_to(other) for other in but):
            hits = sorted({hit.group() for hit in re.finditer(pattern, texts(path))})
            if hits:
                found[path.relative_to(folder).as_posix()] = hits[:5]
    return found
