"""Our materializations replace those of dbt-duckdb: tests pin what they leave out and what they call.

A failure means that the adapter has changed. Read its new code, decide what of it ours needs, and then change the lists
below and the figures in docs/developers/adr/own-materialization.md.
"""

import re
from importlib.metadata import files
from pathlib import Path

import pytest

from join_pipeline_tests.dbt.company import PROJECT

OURS = PROJECT / "macros" / "materializations.sql"
# what ours does in another way: it makes the relation where it belongs, and has nothing to move or to drop afterwards
MOVED = {
    "adapter.rename_relation",
    "create_indexes",
    "drop_relation_if_exists",
    "make_backup_relation",
    "make_intermediate_relation",
}
# what this project has none of
UNUSED = {"apply_grants", "config.get", "persist_docs", "run_hooks", "should_revoke"}
ALIKE = {"adapter.commit", "load_cached_relation", "return", "statement", "this.incorporate"}
# foreign keys and DuckLake: what the adapter does for them
FOREIGN_KEYS = {
    "drop_foreign_key_dependents",
    "drop_indexes_on_relation",
    "drop_relation_for_rebuild",
    "has_foreign_key_constraints",
    "may_be_foreign_key_target",
    "restore_foreign_key_dependents",
}
DUCKLAKE = {
    "adapter.use_ducklake_table_workarounds",
    "duckdb__alter_table_set_partitioned_by",
    "duckdb__alter_table_set_sorted_by",
    "duckdb__get_partitioned_by",
    "duckdb__get_sorted_by",
}
# Python models: the adapter runs them in an event loop of the thread, which ours closes
CLOSING = {"materialize", "made", "asyncio.get_event_loop", "asyncio.set_event_loop", "loop.close", "loop.is_running"}
THEIRS = {
    "table": ALIKE | MOVED | UNUSED | FOREIGN_KEYS | DUCKLAKE | {"create_table_as"},
    "view": (ALIKE | MOVED | UNUSED | {"get_create_view_as_sql"}) - {"create_indexes"},
}
SIGNATURES = {
    "duckdb__create_table_as": (
        "temporary, relation, compiled_code, language='sql', partitioned_by=none, sorted_by=none"
    ),
    "duckdb__create_view_as": "relation, sql",
    "load_cached_relation": "relation",
}


def macros() -> str:
    """All macros of dbt and of its adapter for DuckDB, without comments."""
    paths = [
        Path(str(path.locate()))
        for package in ("dbt-adapters", "dbt-duckdb")
        for path in files(package) or ()
        if path.suffix == ".sql" and "include" in path.parts
    ]
    return "\n".join(without_comments(path.read_text()) for path in sorted(paths))


def without_comments(text: str) -> str:
    return re.sub(r"\{#.*?#\}|/\*.*?\*/|--[^\n]*", "", text, flags=re.DOTALL)


def called(text: str) -> set[str]:
    """The macros and methods that are called."""
    return set(re.findall(r"\b([a-z_]\w*(?:\.[a-z_]\w*)?)\(", text))


def materialization(kind: str) -> str:
    """The code that dbt would take without ours: the adapter's own, else dbt's."""
    found = re.findall(
        rf"\{{%-? materialization {kind}, (adapter=.duckdb.|default).*?%\}}(.*?)\{{%-? endmaterialization",
        macros(),
        re.S,
    )
    by_whom = {"default" if name == "default" else "duckdb": code for name, code in found}
    return by_whom.get("duckdb", by_whom["default"])


@pytest.mark.parametrize("kind", ["table", "view"])
def test_what_ours_stands_in_for_calls_what_it_called_when_ours_was_written(kind: str) -> None:
    assert called(materialization(kind)) == THEIRS[kind]


@pytest.mark.parametrize("macro", SIGNATURES)
def test_what_ours_calls_takes_the_arguments_that_it_took(macro: str) -> None:
    assert re.findall(rf"\{{%-? macro {macro}\((.*?)\)", macros()) == [SIGNATURES[macro]]


def test_ours_calls_nothing_else() -> None:
    text = without_comments(OURS.read_text())
    own = set(re.findall(r"macro (\w+)\(", text))
    assert called(text) - own == ALIKE | set(SIGNATURES) | CLOSING


def test_the_project_has_none_of_what_ours_leaves_out() -> None:
    settings = [PROJECT / "dbt_project.yml", *PROJECT.glob("models/**/*.yml"), *PROJECT.glob("models/**/*.sql")]
    words = (
        r"\b(pre[-_]hook|post[-_]hook|grants|indexes|persist_docs|foreign_key|partition(ed)?_by|sort(ed)?_by)\b *[:=]"
    )
    assert [path.name for path in settings if re.search(words, path.read_text())] == []
