"""The page docs/bucket.md: its commands work as they stand there, in their order, and its figures are so."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from join_pipeline import pipeline
from join_pipeline.bucket import lease, store
from join_pipeline_tests.bucket.places import Place
from join_pipeline_tests.cli.commands import Shell, is_good
from join_pipeline_tests.cli.companies import company

PAGE = Path(__file__).parents[2] / "docs" / "bucket.md"


def blocks() -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.slow  # each of these steps is tried in this process elsewhere
def test_the_commands_of_the_page_work_as_they_stand_there(server: dict[str, str], tmp_path: Path) -> None:
    shell = Shell(company(), tmp_path / "data", server)
    environment = {name: value for name, value in shell.environment.items() if name != "JOIN_PIPELINE_PSEUDONYM_KEY"}
    environment |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "BACKUP": str(tmp_path / "backup")}
    (tmp_path / "backup").mkdir()
    (tmp_path / "pseudonym.key").write_text("0123456789abcdef0123456789abcdef")
    program = "\n".join(["set -eu", *blocks()])
    ran = subprocess.run(
        ["bash", "-c", program], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "s3://lake/recruiting keeps its word" in re.sub(r"\s+", " ", ran.stdout)
    assert list((tmp_path / "backup" / "lake" / "syncs").glob("*.json"))
    # the restore, in the page's words: an empty data folder, an empty prefix
    shutil.copytree(tmp_path / "backup" / "lake", tmp_path / "new" / "join" / "lake")
    restored = Shell(
        company(), tmp_path / "new",
        {**server, "JOIN_PIPELINE_LAKE": "s3://lake/restored", "JOIN_PIPELINE_PSEUDONYM_KEY": "0123456789abcdef" * 2},
    )  # fmt: skip
    is_good(restored("person", "reapply"))
    is_good(restored("sync"))
    assert restored("status", "--json").document["n_syncs"] == 2


def test_the_page_tells_how_long_a_lease_lasts_and_how_many_requests_a_command_costs(
    memory: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = re.sub(r"\s+", " ", PAGE.read_text())
    assert f"renewed every {lease.TTL / 3:.0f} seconds" in page
    assert f"takes it over after {lease.TTL:.0f} seconds" in page
    settings = memory.settings(company(), tmp_path / "data")
    counted = [0]
    for name in ("get", "_put", "send", "stream", "delete", "names"):

        def count(*arguments: object, real: object = getattr(store.Bucket, name)) -> object:
            counted[0] += 1
            return real(*arguments)  # type: ignore[operator]

        monkeypatch.setattr(store.Bucket, name, count)
    costs = []
    for do in (lambda: pipeline.sync(settings, "full", ()), lambda: pipeline.load(settings)):
        counted[0] = 0
        do()
        costs.append(counted[0])
    assert 30 < costs[0] < 50
    assert costs[1] == 6
    assert "costs six requests" in page
    assert "takes some 40" in page
