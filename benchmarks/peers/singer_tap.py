"""A tap of the Singer SDK, whose lines DuckDB then loads. `singer_tap.py URL FOLDER full|incremental`."""

import contextlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import APIKeyAuthenticator
from singer_sdk.pagination import BasePageNumberPaginator

TOKEN = "sandbox-token"


class Pages(BasePageNumberPaginator):
    """Pages until one is not full."""

    def has_more(self, response: Any) -> bool:
        return len(response.json()) == 50


class JoinStream(RESTStream[int]):
    """A list of JOIN."""

    records_jsonpath = "$[*]"
    primary_keys = ("id",)
    schema = th.PropertiesList(
        th.Property("id", th.IntegerType),
        th.Property("lastUpdatedAt", th.DateTimeType),
        additional_properties=True,
    ).to_dict()

    @property
    def url_base(self) -> str:
        return f"{self.config['url']}/v2"

    @property
    def authenticator(self) -> APIKeyAuthenticator:
        return APIKeyAuthenticator(key="Authorization", value=TOKEN, location="header")

    def get_new_paginator(self) -> Pages:
        return Pages(1)

    def get_url_params(self, context: Mapping[str, Any] | None, next_page_token: int | None) -> dict[str, Any]:
        params: dict[str, Any] = {"page": next_page_token or 1, "pageSize": 50}
        since = self.get_starting_replication_key_value(context) if self.replication_key else None
        return params | ({"updatedAtGte": since} if since else {})


class Applications(JoinStream):
    name, path, replication_key, is_sorted = "applications", "/applications", "lastUpdatedAt", False


class Jobs(JoinStream):
    name, path = "jobs", "/jobs"


class TapJoin(Tap):
    name = "tap-join"
    config_jsonschema = th.PropertiesList(th.Property("url", th.StringType)).to_dict()

    def discover_streams(self) -> list[JoinStream]:
        return [Applications(self), Jobs(self)]


def main(url: str, folder: Path, mode: str) -> None:
    """Read everything, or what changed since the state of the run before."""
    folder.mkdir(parents=True, exist_ok=True)
    lines, state = folder / "lines.jsonl", folder / "state.json"
    known = json.loads(state.read_text()) if mode == "incremental" and state.exists() else None
    with lines.open("w") as out, contextlib.redirect_stdout(out):
        TapJoin(config={"url": url}, state=known).sync_all()
    with lines.open() as written:
        states = [line for line in written if line.startswith('{"type":"STATE"')]
    state.write_text(json.dumps(json.loads(states[-1])["value"]))
    with contextlib.closing(duckdb.connect(str(folder / "peer.duckdb"))) as con:
        con.execute("CREATE TABLE IF NOT EXISTS applications (id BIGINT PRIMARY KEY, record JSON)")
        con.execute(
            """INSERT OR REPLACE INTO applications SELECT DISTINCT ON (id) id, record FROM (
            SELECT CAST(record->>'id' AS BIGINT) AS id, record FROM read_json(?, format = 'newline_delimited',
            columns = {type: 'VARCHAR', stream: 'VARCHAR', record: 'JSON'})
            WHERE type = 'RECORD' AND stream = 'applications')""",
            [str(lines)],
        )


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
