"""A pipeline of dlt into DuckDB, flat tables, merged by id. `dlt_pipeline.py URL FOLDER full|incremental`."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"

import dlt
from dlt.sources.helpers import requests

TOKEN = "sandbox-token"


def pages(url: str, **params: object) -> Iterator[list[dict[str, object]]]:
    """All pages of a list, one after the other."""
    page = 1
    while True:
        answer = requests.get(url, params={"page": page, "pageSize": 50, **params}, headers={"Authorization": TOKEN})
        found = answer.json()
        if found:
            yield found
        if len(found) < 50:
            return
        page += 1


def main(url: str, folder: Path, mode: str) -> None:
    """Read everything, or what changed since the newest change that is known."""

    @dlt.resource(name="applications", primary_key="id", write_disposition="merge", max_table_nesting=0)
    def applications(changed=dlt.sources.incremental("lastUpdatedAt", initial_value=None)):  # type: ignore[no-untyped-def]  # noqa: B008
        since = {"updatedAtGte": changed.last_value} if mode == "incremental" and changed.last_value else {}
        yield from pages(f"{url}/v2/applications", **since)

    @dlt.resource(name="jobs", primary_key="id", write_disposition="merge", max_table_nesting=0)
    def jobs() -> Iterator[list[dict[str, object]]]:
        yield from pages(f"{url}/v2/jobs", content="true")

    pipeline = dlt.pipeline(
        "peer",
        pipelines_dir=str(folder / "pipelines"),
        destination=dlt.destinations.duckdb(str(folder / "peer.duckdb")),
        dataset_name="ats",
    )
    pipeline.run([applications(), jobs()])


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
