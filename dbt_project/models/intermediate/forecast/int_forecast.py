"""One row per forecast, past ones too, with its numbers before any are hidden. This only hands over rows and back."""

from join_pipeline.estimates.forecast_tables import told


def model(dbt, session):
    stays = dbt.ref("int_forecast_stay").fetchnumpy()
    jobs = dbt.ref("int_forecast_job").fetchnumpy()
    follow_up = dbt.ref("int_follow_up").fetchnumpy()
    session.register("forecasts", told(stays, jobs, follow_up))
    return session.table("forecasts")
