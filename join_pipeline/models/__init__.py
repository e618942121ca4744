"""The models, declared once. Every schema, key, privacy tier and column description comes from here."""

from join_pipeline.models.declared import MODELS, Model
from join_pipeline.models.types import Column

__all__ = ["MODELS", "Column", "Model"]
