"""The newest rows of a model with their personal columns, which a warehouse reads from the lake."""

from join_pipeline.models import MODELS


def whole(model: str) -> str:
    """SQL of the newest version of every record: the declared columns in their order, and who wrote them when."""
    there = MODELS[model]
    columns = ", ".join(f'{"p" if column.tier.is_personal else "n"}."{column.name}"' for column in there.newest_columns)
    joined = f"LEFT JOIN ats_personal.{model} AS p ON p.id = n.id" if there.personal else ""
    return f"(SELECT {columns} FROM ats.{model} AS n {joined})"
