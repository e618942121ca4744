"""The spine: the models, declared once. Schemas, keys, privacy tiers and docs come from here."""

from join_pipeline.models.declared import MODELS, Model
from join_pipeline.models.types import Column

__all__ = ["MODELS", "Column", "Model"]
