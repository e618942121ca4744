"""The script that many write first: httpx for pages, pandas for the rest. `script.py URL FOLDER full|incremental`."""

import sys
from pathlib import Path

import httpx
import pandas as pd

TOKEN = "sandbox-token"


def read(client: httpx.Client, url: str, **params: object) -> pd.DataFrame:
    """All pages of a list, one after the other, as one wide table."""
    records: list[dict[str, object]] = []
    page = 1
    while True:
        answer = client.get(url, params={"page": page, "pageSize": 50, **params})
        found = answer.raise_for_status().json()
        records += found
        if len(found) < 50:
            return pd.json_normalize(records).astype("string")
        page += 1


def main(url: str, folder: Path, mode: str) -> None:
    """Read everything, or what changed since the newest change that is known."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "applications.parquet"
    with httpx.Client(headers={"Authorization": TOKEN}, trust_env=False, timeout=60) as client:
        read(client, f"{url}/v2/jobs", content="true").to_parquet(folder / "jobs.parquet")
        if mode == "full" or not target.exists():
            found = read(client, f"{url}/v2/applications")
        else:
            known = pd.read_parquet(target)
            changed = read(client, f"{url}/v2/applications", updatedAtGte=known["lastUpdatedAt"].max())
            found = pd.concat([known, changed]).drop_duplicates("id", keep="last")
    found.to_parquet(target)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
