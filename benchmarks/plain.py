"""The simple script that many write instead: httpx for the pages, pandas for the rest, no history, no deletions.

`python -m benchmarks.plain URL FILE` reads every application into one Parquet file.
"""

import sys

import httpx
import pandas as pd

from benchmarks.company import TOKEN


def main(url: str, path: str) -> None:
    """Fetch every page, one after the other, and write one wide table."""
    records: list[dict[str, object]] = []
    with httpx.Client(headers={"Authorization": TOKEN}, trust_env=False) as client:
        page = 1
        while True:
            answer = client.get(f"{url}/v2/applications", params={"page": page, "pageSize": 50})
            found = answer.raise_for_status().json()
            records += found
            if len(found) < 50:
                break
            page += 1
    pd.json_normalize(records).astype("string").to_parquet(path)


if __name__ == "__main__":
    main(*sys.argv[1:])
