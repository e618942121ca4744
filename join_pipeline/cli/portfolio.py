"""The command `portfolio`: one file over all companies."""

from datetime import UTC, datetime

from rich.markup import escape

from join_pipeline.cli.output import Json, out, print_json
from join_pipeline.cli.tables import print_rows
from join_pipeline.cli.verbosity import remark, say
from join_pipeline.settings import Settings, choosing, listed_connections, load_settings


def portfolio(as_json: Json = False) -> None:
    """Make `portfolio.duckdb` and `portfolio.html` in the data folder: who waits, who is slow, and benchmarks.

    It reads the Parquet files that builds publish with JOIN_PIPELINE_PUBLISH_PARQUET=true. Benchmarks are told from 20
    companies on that have 100 applications each. A company that can't be read is told and left out.
    """
    from join_pipeline.bucket.tables import bring_tables
    from join_pipeline.portfolio.write import write_portfolio

    with choosing(None):  # it is over all of them
        settings = load_settings()
        bring_tables(settings.data.absolute(), _buckets(settings))
        written = write_portfolio(settings, list(listed_connections()), datetime.now(UTC))
    if as_json:
        companies = [
            {"connection": one.connection, "state": one.state, "message": one.message, "as_of": one.as_of}
            for one in written.companies
        ]
        figures = {"rows": written.rows, "benchmarks": written.benchmarks}
        print_json(
            {
                "path": written.path,
                "report": written.report,
                "n_bytes": written.n_bytes,
                "companies": companies,
                **figures,
            }
        )
        return
    print_rows(*written.slowest())
    told = ", ".join(written.benchmarks) or "none, as too few companies have the figures"
    say(f"{written.n_read:,} of {len(written.companies):,} companies. Benchmarks: {told}.", soft_wrap=True)
    for company in written.companies:
        if company.message:
            remark(f"[yellow]look[/] {company.connection}: {escape(company.message)}")
    for path in (written.path, written.report):
        out.print(escape(str(path)), soft_wrap=True)


def _buckets(settings: Settings) -> list[str]:
    """The buckets of all companies."""
    stated = [one.settings.get("lake_url") for one in listed_connections().values() if not one.faults]
    return [url for url in dict.fromkeys([settings.lake_url, *stated]) if isinstance(url, str)]
