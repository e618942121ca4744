"""The main questions, asked of the published file: `marimo edit --skip-update-check notebooks/recruiting.py`.

Another file than the demo's: `marimo edit notebooks/recruiting.py -- --file data/join/published/recruiting.duckdb`.
To read only: `marimo run` in place of `marimo edit`. In German: `-- --language de`.
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
    is_german = mo.cli_args().get("language") == "de"

    def said(english, german):
        return mo.md(german if is_german else english)

    def shown(rows):
        """The rows as a table: days with one decimal, shares with three, names without the keys beside them."""
        keys = [name for name in rows.columns if name.endswith(("_key", "_id")) and name[:-4] + "_name" in rows.columns]
        tidy = rows.drop(columns=keys)
        digits = {name: 1 if "days" in name or name == "value" else 3 for name in tidy.select_dtypes("float").columns}
        return mo.ui.table(tidy.round(digits), selection=None)

    return alt, con, mo, path, said, shown


@app.cell
def _(con, path, said):
    ((known_until, n_syncs),) = con.execute("SELECT max(as_of), count(*) FROM dim_sync").fetchall()
    said(
        f"""
        # Where do applications go, how long does it take, and how sure are we?

        `{path}` · as of {known_until:%Y-%m-%d %H:%M} UTC, from {n_syncs} syncs.

        JOIN tells the present only. What happened before is known from one sync to the next, so each instant has two
        bounds: `_lo`, at which it had certainly not happened, and `_hi`, at which it certainly had. What it means for
        reading is in `docs/analysts.md`, what each metric counts in the table `metric_definition`.
        """,
        f"""
        # Wohin gehen Bewerbungen, wie lange dauert es, und wie sicher sind wir?

        `{path}` · Stand {known_until:%d.%m.%Y %H:%M} UTC, aus {n_syncs} Syncs.

        JOIN zeigt nur die Gegenwart. Was vorher geschah, ist von einem Sync zum nächsten bekannt. Jeder Zeitpunkt hat
        deshalb zwei Grenzen: Zu `_lo` war es sicher noch nicht geschehen, zu `_hi` sicher geschehen. Wie man das liest,
        steht in `docs/de/analysts.md`, was jede Kennzahl zählt, in der Tabelle `metric_definition`.
        """,
    )
    return known_until, n_syncs


@app.cell
def _(con, mo, said, shown):
    sure = con.sql("SELECT check_name, subject, n, n_of, share, value, unit FROM how_sure_are_we").df()
    mo.vstack([said("## How sure are we?", "## Wie sicher sind wir?"), shown(sure)])
    return (sure,)


@app.cell
def _(alt, con, mo, said):
    waiting = con.sql("FROM where_do_applications_wait").df()
    mo.vstack(
        [
            said(
                "## Who waits where?\n\nStuck: with little chance to move on within the next 30 days.",
                "## Wer wartet wo?\n\nFesthängend (stuck): mit wenig Aussicht, in 30 Tagen weiterzukommen.",
            ),
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
def _(alt, con, mo, said, shown):
    funnel = con.sql("FROM how_far_do_applications_get WHERE NOT is_left_truncated").df()
    bars = alt.Chart(funnel).encode(y=alt.Y("milestone:N", sort=None))
    mo.vstack(
        [
            said(
                """
                ## How far do applications get?

                Those who applied after the first sync: of those before, only survivors are known. The dot is the share
                that moved on, of those whose fate is known; the line is what it can still become.
                """,
                """
                ## Wie weit kommen Bewerbungen?

                Wer sich nach dem ersten Sync bewarb; von früheren sind nur die Überlebenden bekannt. Der Punkt ist der
                Anteil der Weitergekommenen unter denen, deren Ausgang bekannt ist; die Linie, was daraus noch wird.
                """,
            ),
            (
                bars.mark_rule().encode(x=alt.X("pass_through_low:Q", title="moved on"), x2="pass_through_high:Q")
                + bars.mark_point(filled=True, size=90).encode(x="pass_through:Q")
            ).properties(width=480),
            shown(funnel),
        ]
    )
    return bars, funnel


@app.cell
def _(con, mo, said, shown):
    hires = con.sql(
        """
        SELECT count(*) AS hires, median(days_to_hire_lo) AS at_least, median(days_to_hire) AS median,
            median(days_to_hire_hi) AS at_most
        FROM fct_time_to_hire WHERE NOT is_historic
        """
    ).df()
    mo.vstack(
        [
            said(
                "## How long does a hire take?\n\nHires that were seen to happen. Quick ones come first: see below.",
                "## Wie lange dauert eine Einstellung?\n\nEinstellungen, die gesehen wurden. Schnelle kommen zuerst.",
            ),
            shown(hires.round(1)),
        ]
    )
    return (hires,)


@app.cell
def _(alt, con, mo, said):
    curve = con.sql(
        """
        SELECT day, min(incidence_hired) AS at_least, max(incidence_hired) AS at_most, max(n_at_risk) AS n_at_risk
        FROM fct_survival WHERE question = 'hire' AND scope = 'overall' GROUP BY day ORDER BY day
        """
    ).df()
    mo.vstack(
        [
            said(
                "Share hired so many days after applying, with those who still wait counted as waiting:",
                "Anteil der Eingestellten so viele Tage nach der Bewerbung; wer noch wartet, zählt als wartend:",
            ),
            alt.Chart(curve)
            .mark_area(interpolate="step-after", line=True, opacity=0.4)
            .encode(x="day:Q", y=alt.Y("at_least:Q", title="hired", axis=alt.Axis(format=".1%")), y2="at_most:Q")
            .properties(width=480),
        ]
    )
    return (curve,)


@app.cell
def _(alt, con, mo, said):
    sources = con.sql("FROM which_sources_bring_hires").df()
    dots = alt.Chart(sources).encode(y=alt.Y("source_key:N", sort=None, title=None))
    mo.vstack(
        [
            said(
                "## Which sources bring hires?\n\nHired of those decided, with the 95 % interval.",
                "## Welche Quellen bringen Einstellungen?\n\nEingestellte von Entschiedenen, mit 95-%-Intervall.",
            ),
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
def _(alt, con, mo, said):
    weeks = con.sql("FROM what_happens_each_week WHERE is_whole LIMIT 52").df()
    mo.vstack(
        [
            said("## What happens each week?", "## Was geschieht jede Woche?"),
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
def _(con, mo, said, shown):
    mine = con.sql(
        """
        SELECT j.job_name, count(*) AS applications, count(*) FILTER (a.status = 'OPEN') AS waiting
        FROM fct_application AS a INNER JOIN dim_job AS j USING (job_id)
        GROUP BY ALL ORDER BY applications DESC, j.job_name LIMIT 10
        """
    ).df()
    mo.vstack(
        [
            said(
                "## And your own question\n\nChange this cell's query.",
                "## Und Ihre eigene Frage\n\nÄndern Sie die Abfrage dieser Zelle.",
            ),
            shown(mine),
        ]
    )
    return (mine,)


if __name__ == "__main__":
    app.run()
