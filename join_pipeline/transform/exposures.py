"""dbt's YAML of its exposures: the files, the report, the notebook and each view, with the models that they rest on.

`make generated` writes it, so dbt's lineage reaches to what people open.
Belongs here: turning the manifest and the readers' queries into YAML. Not here: the queries (report, notebooks).
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

HEAD: Final = "# Made by `make generated` from the YAML of the models and the queries of the report and the notebook.\n"
READ: Final = re.compile(r"\b(?:from|join)\s+(?:recruiting\.)?(\w+)", re.IGNORECASE)
OWNER: Final = "The company that runs the pipeline"
FILES: Final = {
    "recruiting": (
        "published_file",
        "recruiting.duckdb",
        "The DuckDB file for analysts: facts under pseudonyms, aggregates, and questions as views.",
    ),
    "people": (
        "people_file",
        "people.duckdb",
        "Names and contacts by the keys of recruiting.duckdb. It is there only if JOIN_PIPELINE_PUBLISH_PEOPLE is on.",
    ),
}


def exposures_file(manifest: dict[str, Any], report: Iterable[str], notebook: Iterable[str]) -> str:
    """The text of dbt_project/models/_exposures.yml. `report` and `notebook` are the queries that these two ask."""
    nodes = {
        node["name"]: node
        for node in sorted(manifest["nodes"].values(), key=lambda node: str(node["name"]))
        if node["resource_type"] in {"model", "seed"} and node["schema"] in FILES
    }
    lines = [HEAD + "exposures:"]
    for schema, (name, label, description) in FILES.items():
        kept = [node["name"] for node in nodes.values() if node["schema"] == schema]
        lines += _exposure(name, "application", label, description, kept)
    shown = "One HTML file for managers. It has aggregates only, and hides small groups."
    lines += _exposure("report", "dashboard", "report.html", shown, _read(report, nodes))
    asked = "The main questions, asked of recruiting.duckdb in a notebook of marimo."
    lines += _exposure("notebook", "notebook", "recruiting.py", asked, _read(notebook, nodes))
    for name, node in nodes.items():
        if answer := node["config"].get("meta", {}).get("answer"):
            question = name.replace("_", " ").capitalize() + "?"
            lines += _exposure(f"answer_{name}", "analysis", question, f"The view {name}: {answer}.", [name])
    return "\n".join([*lines, ""])


def _read(queries: Iterable[str], nodes: dict[str, Any]) -> list[str]:
    """The published models that the queries name after FROM or JOIN."""
    return sorted({name for query in queries for name in READ.findall(query)} & nodes.keys())


def _exposure(name: str, kind: str, label: str, description: str, rests_on: list[str]) -> Iterator[str]:
    yield f"  - name: {name}"
    yield f"    label: {_quoted(label)}"
    yield f"    type: {kind}"
    yield "    maturity: medium"
    yield f"    description: {_quoted(description)}"
    yield f"    owner: {{name: {OWNER}}}"
    yield "    depends_on:"
    yield from (f"      - ref('{name}')" for name in rests_on)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
