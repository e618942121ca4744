"""Results of a sync and of a build, for people: what changed, where the files are, and what is worth a look.

Belongs here: the text. Not here: the commands (pipeline), figures (warehouse.outcome).
"""

from typing import TYPE_CHECKING, Final

from rich.markup import escape
from rich.table import Table

from join_pipeline.cli.output import instant
from join_pipeline.cli.verbosity import is_quiet, is_verbose, remark, say

if TYPE_CHECKING:
    from join_pipeline.results import Built, Synced
    from join_pipeline.transform.run import Node
    from join_pipeline.warehouse.outcome import Outcome

NO_REPORT: Final = "needs an extra. Install it: pip install 'join-pipeline[report]'"
WORDS: Final = {"other_ends": "ended otherwise"}
SLOWEST: Final = 10


def print_synced(synced: "Synced") -> None:
    """A table of the models, the mode and its reason, and the findings that somebody should look at."""
    record = synced.record
    table = Table("model", "live", "new", "changed", "returned", "deleted", title=f"{record.mode} sync")
    for name, model in record.models.items():
        figures = (model.live, model.new, model.changed, model.returned, model.deleted)
        table.add_row(name, *(f"{figure:,}" for figure in figures))
    say(table)
    if is_verbose():
        _print_feeds(synced)
    for finding in synced.findings:
        if not finding.is_ok and finding.check != "guard":
            remark(f"[yellow]look[/] {finding.about}: {escape(finding.message)}")
    say(f"{record.mode}: {record.reason}. {record.n_requests:,} requests.", soft_wrap=True)


def print_built(built: "Built") -> None:
    """What readers see differently, where the files are, and what is worth a look. With `-v`, every table."""
    if built.is_unchanged:
        if is_quiet():  # a timer was told of the warnings by the build
            return
        say("Nothing has changed since the last build, and no day has turned. --force builds anyway.")
    elif built.after is not None:
        _print_change(built.before, built.after)
    if built.replayed is not None:
        say(built.replayed.told(), soft_wrap=True)
    if is_verbose():
        _print_tables(built)
    say(f"For DuckDB   {escape(str(built.published.path))}", soft_wrap=True)
    if built.published.n_parquet is not None:
        say(f"Parquet      {built.published.n_parquet:,} files of this company, in the folder of all companies")
    report = NO_REPORT if built.report is None else str(built.report.path)
    say(f"Report       {escape(report)}", soft_wrap=True)
    tests = [node for node in built.nodes if node.kind in {"test", "unit_test"}]
    warned = [node for node in tests if node.status == "warn"]
    say(f"Checks       {len(tests) - len(warned):,} of {len(tests):,} passed, {len(warned)} warned.")
    for node in warned:
        remark(f"[yellow]warning[/] {node.unique_id}: {escape(node.message)}")
    if built.after is not None and built.after.remarks:
        say('Worth a look (more: join-pipeline query "FROM how_sure_are_we"):')
        for line in built.after.remarks:
            say(f"  {escape(line)}", soft_wrap=True, highlight=False)


def _print_change(before: "Outcome | None", after: "Outcome") -> None:
    """A line per figure with what it was before, and one for the end of the data."""
    say(
        f"As of        {instant(after.as_of)}" + (f", before {instant(before.as_of)}" if before else ""),
        highlight=False,
    )
    changed = []
    for name, figure in after.figures.items():
        gain = figure - before.figures.get(name, 0) if before else 0
        changed.append(f"{figure:,} {WORDS.get(name, name)}" + (f" ({gain:+,})" if gain else ""))
    said = "Published    " + ", ".join(changed)
    if before and before.figures == after.figures:
        said += ": no figure changed"
    say(said + ".", soft_wrap=True, highlight=False)


def _print_tables(built: "Built") -> None:
    table = Table("published table", "rows")
    for one in built.published.tables:
        table.add_row(one.name, f"{one.rows:,}")
    say(table)
    slowest = sorted(built.nodes, key=_seconds, reverse=True)[:SLOWEST]
    table = Table("slowest node", "seconds")
    for node in slowest:
        table.add_row(escape(node.unique_id), f"{node.seconds:.2f}")
    say(table)


def _seconds(node: "Node") -> float:
    return node.seconds


def _print_feeds(synced: "Synced") -> None:
    table = Table("feed", "pages", "records fetched", "looks", "set aside", "seconds")
    for name, feed in synced.record.feeds.items():
        figures = (feed.pages, feed.records, feed.looks, feed.quarantined)
        table.add_row(name, *(f"{figure:,}" for figure in figures), f"{feed.seconds:.1f}")
    say(table)
