"""One row per curve of Turnbull's estimate, cause and day. This only hands over rows to the package and back."""

from join_pipeline.estimates.turnbull import curves


def model(dbt, session):
    session.register("turnbull_curves", curves(dbt.ref("int_turnbull_interval").fetchnumpy()))
    return session.table("turnbull_curves")
