"""What many write instead: httpx page by page, pandas for the rest. It keeps no history and knows no deletions.

`python -m benchmarks.plain URL FILE` reads every application into one Parquet file.
"""

import sys

import httpx
import pandas as pd

from benchmarks.company import TOKEN


def main(url: str, path: str) -> None:
    """Every page, one after the other; then one wide table."""
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
