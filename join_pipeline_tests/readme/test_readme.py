"""The README names what exists: its settings, its commands, and queries that run."""

import contextlib
import re
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import httpx
from typer.main import get_command

from join_pipeline.cli import app
from join_pipeline.pipeline import build
from join_pipeline.sandbox import SandboxConfig, running
from join_pipeline.settings import Settings, env_name, load_settings, setting_text
from join_pipeline.sync.run import run_sync
from join_pipeline_tests.cli.commands import TOKEN, Shell, is_good, typed
from join_pipeline_tests.cli.companies import company

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_its_settings_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| `((?:JOIN|KOMBO)_\w+)` \| (?:`(.*)`|–) \| (.*) \|$", README, re.MULTILINE)
    declared = [
        (env_name(name), "" if field.default is None else setting_text(field.default), field.description)
        for name, field in Settings.model_fields.items()
    ]
    assert rows == declared


def test_its_commands_and_targets_exist() -> None:
    commands = set(get_command(app).commands)  # type: ignore[attr-defined]
    assert set(re.findall(r"(?:^|`)join-pipeline ([a-z]+)", README, re.MULTILINE)) <= commands
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"make ([a-z]+)(?:`|$)", README, re.MULTILINE)) <= targets


def test_its_commands_run_in_the_order_in_which_it_names_them(tmp_path: Path) -> None:
    commands = re.findall(r"(?:^|`)join-pipeline ([^`\n]+)", README, re.MULTILINE)
    assert [command.split()[0] for command in commands[:3]] == ["connect", "sync", "build"]
    shell = Shell(company(), tmp_path / "data", {"JOIN_API_TOKEN": ""})
    for command in commands:
        if command == "listen":
            continue  # it waits for webhooks until it is ended: kombo/test_listening
        with typed(TOKEN):  # connect asks for it
            is_good(shell(*shlex.split(command), *(["--token-stdin"] if command == "connect" else [])))


def test_its_queries_run_on_the_published_file(tmp_path: Path) -> None:
    start = datetime(2026, 5, 1, tzinfo=UTC)
    with running(SandboxConfig(port=0, applications=400, now=start, rate_limit=None)) as url:
        settings = load_settings(
            join_api_token="sandbox-token",
            join_api_url=f"{url}/v2",
            data=tmp_path,
            connection="sandbox",
            pseudonym_key="a key for tests only",
        )
        run_sync(settings)
        later = {"now": (start + timedelta(days=20)).isoformat()}
        httpx.post(f"{url}/control/clock", json=later, trust_env=False).raise_for_status()
        run_sync(settings)
    build(settings)
    queries = re.findall(r"```sql\n(.*?)```", README, re.DOTALL)
    assert len(queries) == 3
    with contextlib.closing(duckdb.connect(settings.published, read_only=True)) as con:
        assert all(con.execute(query).fetchall() for query in queries)
