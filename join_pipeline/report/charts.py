"""The report's charts by name, as Vega-Lite that Altair makes.

The page fills `rows` and the other named data when the reader filters. `$key` stands for a text in the page's language.
Belongs here: the list of charts. Not here: their marks (lane_charts, time_charts), rows and texts (the page).
"""

from typing import Any

from join_pipeline.report.chart_style import Layers, config
from join_pipeline.report.lane_charts import funnel, heat, interval, parts, quantiles, rates
from join_pipeline.report.time_charts import incidence, survival, syncs, trend, years


def charts() -> dict[str, dict[str, Any]]:
    """Every chart by name, as Vega-Lite without data."""
    made: dict[str, Layers] = {
        "parts": parts(),
        "funnel": funnel(),
        "heat": heat(),
        "survival": survival(),
        "incidence": incidence(),
        "quantiles": quantiles(),
        "rates": rates(),
        "interval": interval(),
        "trend": trend(),
        "years": years(),
        "syncs": syncs(),
    }
    return {name: chart.properties(config=config()).to_dict() for name, chart in made.items()}
