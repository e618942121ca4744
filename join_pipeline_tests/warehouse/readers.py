"""Readers of a published file in processes of their own, as analysts' tools are.

Belongs here: holding the file open, and asking again and again. Not here: publishing.
"""

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

HOLDER = """
import json, sys, duckdb
con = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "True")
print(json.dumps("open"), flush=True)
for query in sys.stdin:
    try:
        answer = con.execute(query).fetchall()
    except duckdb.Error as error:
        answer = f"{type(error).__name__}: {error}"
    print(json.dumps(answer, default=str), flush=True)
"""
LOOPER = """
import json, sys, duckdb
path, read_only, query = sys.argv[1:]
seen, n = {}, 0
print(json.dumps("open"), flush=True)
import select
while not select.select([sys.stdin], [], [], 0)[0]:
    try:
        with duckdb.connect(path, read_only=read_only == "True") as con:
            answer = json.dumps(con.execute(query).fetchall(), default=str)
    except duckdb.Error as error:
        answer = json.dumps(f"{type(error).__name__}: {error}")
    seen[answer] = seen.get(answer, 0) + 1
    n += 1
print(json.dumps([n, [json.loads(answer) for answer in seen]]), flush=True)
"""


class Reader:
    """A process that talks in lines of JSON."""

    def __init__(self, script: str, *arguments: str) -> None:
        command = [sys.executable, "-c", script, *arguments]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Self:
        if self.answer() != "open":
            raise AssertionError("the reader did not begin")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=30)

    def kill(self) -> None:
        """End it without a goodbye."""
        self._process.kill()

    def ask(self, query: str) -> Any:
        """What a query gives: rows, or an error's words."""
        if self._process.stdin is None:
            raise AssertionError("no way to ask")
        self._process.stdin.write(query + "\n")
        self._process.stdin.flush()
        return self.answer()

    def answer(self) -> Any:
        """Its next line."""
        return json.loads(self._process.stdout.readline()) if self._process.stdout else None


def holder(path: Path, *, read_only: bool) -> Reader:
    """A process that opens the file once and keeps it."""
    return Reader(HOLDER, str(path), str(read_only))


def looper(path: Path, query: str, *, read_only: bool) -> Reader:
    """A process that opens, asks and closes until it is told a word; then `[how often, [distinct answers]]`."""
    return Reader(LOOPER, str(path), str(read_only), query)
