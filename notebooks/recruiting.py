"""The main questions, asked of the published file: `marimo edit --skip-update-check notebooks/recruiting.py`.

Another file than the demo's: `marimo edit notebooks/recruiting.py -- --file data/join/published/recruiting.duckdb`.
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Recruiting")


@app.cell
def _():
    import altair as alt
    import duckdb
    import marimo as mo

    path = mo.cli_args().get("file") or "data/sandbox/published/recruiting.duckdb"
    # read-only, and open: a build puts a new file in this one's place; run this cell again to read that one
    con = duckdb.connect(path, read_only=True)
    return alt, con, mo, path


@app.cell
def _(con, mo, path):
    ((known_until, n_syncs),) = con.execute("SELECT max(as_of), count(*) FROM dim_sync").fetchall()
    mo.md(
        f"""
        # Where do applications go, how long does it take, and how sure are we?

        `{path}` · as of {known_until:%Y-%m-%d %H:%M} UTC, from {n_syncs} syncs.

        JOIN tells the present only. What happened before is known from one sync to the next, so each instant has two
        bounds: `_lo`, at which it had certainly not happened, and `_hi`, at which it certainly had. What it means for
        reading is in `docs/analysts.md`, what each metric counts in the table `metric_definition`.
        """
    )
    return known_until, n_syncs


@app.cell
def _(con, mo):
    sure = con.sql("SELECT check_name, subject, n, n_of, share, value, unit FROM how_sure_are_we").df()
    mo.vstack([mo.md("## How sure are we?"), mo.ui.table(sure, selection=None)])
    return (sure,)


@app.cell
def _(alt, con, mo):
    waiting = con.sql("FROM where_do_applications_wait").df()
    mo.vstack(
        [
            mo.md("## Who waits where?\n\nAnd who has waited longer than most that moved on did: stuck."),
            alt.Chart(waiting)
            .transform_fold(["n_open", "n_stuck"], as_=["which", "applications"])
            .mark_bar()
            .encode(
                x="applications:Q", y=alt.Y("milestone:N", sort=None), yOffset="which:N", color=alt.Color("which:N")
            )
            .properties(width=480),
        ]
    )
    return (waiting,)


@app.cell
def _(alt, con, mo):
    funnel = con.sql("FROM how_far_do_applications_get WHERE NOT is_left_truncated").df()
    bars = alt.Chart(funnel).encode(y=alt.Y("milestone:N", sort=None))
    mo.vstack(
        [
            mo.md(
                """
                ## How far do applications get?

                Those who applied after the first sync: of those before, only survivors are known. The dot is the share
                that moved on, of those whose fate is known; the line is what it can still become.
                """
            ),
            (
                bars.mark_rule().encode(x=alt.X("pass_through_low:Q", title="moved on"), x2="pass_through_high:Q")
                + bars.mark_point(filled=True, size=90).encode(x="pass_through:Q")
            ).properties(width=480),
            mo.ui.table(funnel, selection=None),
        ]
    )
    return bars, funnel


@app.cell
def _(con, mo):
    hires = con.sql(
        """
        SELECT count(*) AS hires, median(days_to_hire_lo) AS at_least, median(days_to_hire) AS median,
            median(days_to_hire_hi) AS at_most
        FROM fct_time_to_hire WHERE NOT is_historic
        """
    ).df()
    mo.vstack(
        [
            mo.md("## How long does a hire take?\n\nHires that were seen to happen. Quick ones come first: see below."),
            mo.ui.table(hires, selection=None),
        ]
    )
    return (hires,)


@app.cell
def _(alt, con, mo):
    curve = con.sql(
        """
        SELECT day, min(incidence_hired) AS at_least, max(incidence_hired) AS at_most, max(n_at_risk) AS n_at_risk
        FROM fct_survival WHERE question = 'hire' AND scope = 'overall' GROUP BY day ORDER BY day
        """
    ).df()
    mo.vstack(
        [
            mo.md("Share hired so many days after applying, with those who still wait counted as waiting:"),
            alt.Chart(curve)
            .mark_area(interpolate="step-after", line=True, opacity=0.4)
            .encode(x="day:Q", y=alt.Y("at_least:Q", title="hired", axis=alt.Axis(format=".1%")), y2="at_most:Q")
            .properties(width=480),
        ]
    )
    return (curve,)


@app.cell
def _(alt, con, mo):
    sources = con.sql("FROM which_sources_bring_hires").df()
    dots = alt.Chart(sources).encode(y=alt.Y("source_key:N", sort=None, title=None))
    mo.vstack(
        [
            mo.md("## Which sources bring hires?\n\nHired of those decided, with the 95 % interval."),
            (
                dots.mark_rule().encode(
                    x=alt.X("hire_rate_wilson_low:Q", title="hired of decided", axis=alt.Axis(format=".0%")),
                    x2="hire_rate_wilson_high:Q",
                )
                + dots.mark_point(filled=True, size=70).encode(x="hire_rate:Q")
            ).properties(width=480),
        ]
    )
    return dots, sources


@app.cell
def _(alt, con, mo):
    weeks = con.sql("FROM what_happens_each_week WHERE is_whole LIMIT 52").df()
    mo.vstack(
        [
            mo.md("## What happens each week?"),
            alt.Chart(weeks)
            .transform_fold(["n_applications", "n_hired", "n_declined"], as_=["what", "n"])
            .mark_line()
            .encode(x="week_on:T", y="n:Q", row=alt.Row("what:N", title=None))
            .resolve_scale(y="independent")
            .properties(width=480, height=90),
        ]
    )
    return (weeks,)


@app.cell
def _(con, mo):
    mine = con.sql(
        """
        SELECT j.job_name, count(*) AS applications, count(*) FILTER (a.status = 'OPEN') AS waiting
        FROM fct_application AS a INNER JOIN dim_job AS j USING (job_id)
        GROUP BY ALL ORDER BY applications DESC, j.job_name LIMIT 10
        """
    ).df()
    mo.vstack([mo.md("## And your own question\n\nChange this cell's query."), mo.ui.table(mine, selection=None)])
    return (mine,)


if __name__ == "__main__":
    app.run()
