"""Files that are made of what is written once elsewhere: those that are committed, and the site.

    python docs/make.py --committed
    python docs/make.py

Belongs here: which files there are, and writing them. Not here: any words about metrics or models.
"""

import argparse
import csv
import json
import os
import re
import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dbt.cli.main import dbtRunner
from mkdocs.commands.build import build
from mkdocs.config import load_config
from typer.main import get_command

from docs.diagram import entity_diagram, path_diagram
from docs.semantic import semantic_file
from join_pipeline.cli import app
from join_pipeline.cli.verbosity import NAMES
from join_pipeline.report.group_queries import HORIZON, SHOWN_GROUPS
from join_pipeline.report.queries import DATASETS
from join_pipeline.settings import declared, env_name, setting_text
from join_pipeline.transform.exposures import exposures_file
from join_pipeline.transform.source_yaml import source_files
from join_pipeline.warehouse.contract import contract

ROOT = Path(__file__).parents[1]
PROJECT = ROOT / "dbt_project"
SCHEMA = ROOT / "docs" / "reference" / "published-schema.json"
NOTEBOOK = ROOT / "notebooks" / "recruiting.py"
SITE = ROOT / "build" / "site"
HEAD = """# Metrics

What each number means: how it is computed, what it counts, and what it could be taken for and is not. Made by
`make generated` from `dbt_project/seeds/metric_definition.csv`, which is also published as
`recruiting.metric_definition`.
"""
SETTINGS_HEAD = """# Settings

Every setting is an environment variable. Made by `make generated` from `join_pipeline/settings.py`.

| variable | default | meaning |
|---|---|---|
"""
COMMANDS_HEAD = """# Commands

The commands are in `.venv/bin`. Each has `--help`. Made by `make generated` from `join_pipeline/cli/`.

`join-pipeline --version` prints the version. `join-pipeline --install-completion` makes your shell complete commands
and options; `--show-completion` prints the script instead.

Every command takes `-v` (`--verbose`), which prints details, and `-q` (`--quiet`), which prints nothing but results,
warnings and errors. Progress is shown in a terminal only. Every command takes `--connection NAME`, which names one of
[several companies](../several-companies.md).

A command that takes `--json` then prints one JSON document on standard output and nothing else there. If it fails, the
document is the error, unless the result was printed before; standard error has the same in words:

```json
{"error": {"type": "SettingsError", "message": "JOIN_PIPELINE_K: needs a whole number", "exit_code": 2}}
```

| `type` | meaning |
|---|---|
| `SettingsError`, `LockedError`, … | A class of `join_pipeline/errors.py`. `details` may say more, such as `field`. |
| `UsageError` | The command line is wrong. |
| `MachineError` | The machine refused something, such as space on the disk. |
| `Fault` | A fault of join-pipeline. |
| `Interrupted`, `Aborted` | Somebody interrupted the command, or nobody answered its question. |

A variable that begins with `JOIN_PIPELINE_` and is no setting is reported on standard error, with the nearest name.

| exit code | meaning |
|---|---|
| 0 | The command is done. |
| 1 | It failed and says why. Nothing is half-written. |
| 2 | The command line or a setting is wrong. |
| 3 | The guard kept what is known, because too many records were missing. The message says how to accept the loss. |
| 4 | Another process works on this connection. |
| 70 | A fault of join-pipeline. The message names a log file and a reference in it. Please report it. |
| 130 | The command was interrupted. Run it again. |
"""
MARTS = """# Marts and views

The tables of `recruiting.duckdb`, by the folder of `dbt_project/models/marts` that makes them, and its views, with what
one row of each is. `shared` may be shown to everybody: small groups are hidden. `analyst` has rows about single people,
under pseudonyms, or small groups. Made by `make generated` from the YAML of the models.
"""
ANSWERS = """
## Answers

Questions that everyone asks are views, so `FROM recruiting.where_do_applications_wait` is all there is to write.
"""


def committed(manifest: dict[str, Any]) -> dict[Path, str]:
    """Every file that is made of others and committed, with its text. A test compares them with what is there."""
    sources = PROJECT / "models" / "staging" / "ats"
    before = json.loads(SCHEMA.read_text(encoding="utf-8")) if SCHEMA.exists() else {}
    release = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    published = contract(manifest, before, release)
    report, notebook = (SHOWN_GROUPS, HORIZON, *DATASETS.values()), (NOTEBOOK.read_text(encoding="utf-8"),)
    return {
        ROOT / "docs" / "metrics.md": metrics_page(),
        ROOT / "docs" / "reference" / "marts.md": marts_page(manifest),
        ROOT / "docs" / "reference" / "entities.svg": entity_diagram(manifest),
        ROOT / "docs" / "developers" / "architecture.svg": path_diagram(),
        PROJECT / "semantic" / "recruiting.yml": semantic_file(definitions()),
        SCHEMA: json.dumps(published, indent=1, ensure_ascii=False) + "\n",
        PROJECT / "seeds" / "schema_version.csv": f"version\n{published['version']}\n",
        ROOT / "docs" / "reference" / "settings.md": settings_page(),
        ROOT / "docs" / "reference" / "commands.md": commands_page(),
        PROJECT / "models" / "_exposures.yml": exposures_file(manifest, report, notebook),
        **{sources / name: text for name, text in source_files().items()},
    }


def metrics_page() -> str:
    """`metrics.md` as the seed has it."""
    return HEAD + "".join(_metric(metric) for metric in definitions())


def definitions() -> list[dict[str, str]]:
    """The metrics as the seed defines them."""
    with (PROJECT / "seeds" / "metric_definition.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def marts_page(manifest: dict[str, Any]) -> str:
    """`marts.md`: the marts by folder, then the views that answer, as their YAML describes them."""
    nodes = sorted(manifest["nodes"].values(), key=lambda node: node["fqn"])
    models = [node for node in nodes if node["resource_type"] == "model"]
    text = MARTS
    for folder in sorted({node["fqn"][2] for node in models if node["fqn"][1] == "marts"}):
        inside = [node for node in models if node["fqn"][1:3] == ["marts", folder]]
        text += f"\n## {folder.capitalize()}\n\n{_models(inside, 'mart', 'question')}"
    return text + ANSWERS + "\n" + _models([node for node in models if node["fqn"][1] == "answers"], "view", "answer")


def _models(nodes: list[dict[str, Any]], kind: str, told: str) -> str:
    rows = [f"| {kind} | for | one row per | {told} |", "|---|---|---|---|"]
    for node in nodes:
        meta = node["config"]["meta"]
        said = re.sub(r" \([^)]*\)", "", node["description"])
        grain = re.split(r"[.:]\s", said + " ")[0].removeprefix("One row per ")
        rows.append(f"| `{node['name']}` | {meta['audience']} | {grain} | {meta[told]} |")
    return "\n".join([*rows, ""])


def _metric(metric: dict[str, str]) -> str:
    lines = [f"| {name} | {value.replace('|', chr(92) + '|')} |" for name, value in metric.items() if name != "name"]
    return "\n".join(["", f"## {metric['name']}", "", "| | |", "|---|---|", *lines, ""])


def settings_page() -> str:
    """Every setting, in the order of its declaration."""
    return SETTINGS_HEAD + "".join(
        f"| `{env_name(name)}` | {_default(field.default)} | {field.description} |\n"
        for name, field in declared().items()
    )


def _default(value: object) -> str:
    return "–" if value is None else f"`{setting_text(value)}`"


def commands_page() -> str:
    """Every command with its arguments and options, in the order in which help shows them."""
    return COMMANDS_HEAD + "".join(_command(get_command(app), "join-pipeline"))


def _command(command: Any, name: str) -> Iterator[str]:
    """One command, then those below it."""
    children = getattr(command, "commands", {})
    if not children:
        yield f"\n## `{name}`\n\n{command.help.strip()}\n\n| argument or option | default | meaning |\n|---|---|---|\n"
        for parameter in command.params:
            if parameter.name in NAMES:  # told once, before all commands
                continue
            told = " or ".join(f"`{option}`" for option in (*parameter.opts, *parameter.secondary_opts))
            value = getattr(parameter.default, "value", parameter.default)
            default = "–" if value in (None, False) else f"`{value}`"
            yield f"| {told} | {'required' if parameter.required else default} | {parameter.help} |\n"
    for child, below in children.items():
        yield from _command(below, f"{name} {child}")


def read_manifest() -> dict[str, Any]:
    """The dbt project, parsed. Needs no warehouse, no network."""
    with tempfile.TemporaryDirectory() as folder:
        _dbt(folder, "parse")
        manifest: dict[str, Any] = json.loads(Path(folder, "manifest.json").read_text(encoding="utf-8"))
        return manifest


def pages(site: Path) -> Path:
    """The pages of docs/ as a site. Raises if a link leads nowhere."""
    os.environ["NO_MKDOCS_2_WARNING"] = "true"
    build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(site)))
    return site / "index.html"


def models_page(site: Path) -> Path:
    """dbt's page as one file: every model and column, and where they come from."""
    with tempfile.TemporaryDirectory() as folder:
        _dbt(folder, "docs", "generate", "--static", "--empty-catalog")
        site.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy(Path(folder, "static_index.html"), site / "models.html"))


def _dbt(folder: str, *command: str) -> None:
    profile = "join_pipeline: {target: x, outputs: {x: {type: duckdb, path: ':memory:'}}}"
    Path(folder, "profiles.yml").write_text(profile)
    result = dbtRunner().invoke(
        [
            *("--quiet", "--no-version-check", "--no-send-anonymous-usage-stats", "--log-level-file", "none"),
            *(*command, "--project-dir", str(PROJECT)),
            *("--profiles-dir", folder, "--target-path", folder, "--log-path", folder),
        ]
    )
    if not result.success:
        raise SystemExit(f"dbt {' '.join(command)} failed: {result.exception}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--site", type=Path, default=SITE)
    parser.add_argument("--committed", action="store_true", help="only the files that are committed")
    asked = parser.parse_args()
    for path, text in committed(read_manifest()).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(os.path.relpath(path))
    if not asked.committed:
        for page in (pages(asked.site), models_page(asked.site)):
            print(os.path.relpath(page))


if __name__ == "__main__":
    main()
