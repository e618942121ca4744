"""Audiences: for whom each published table is, as the dbt project of this release says it.

Belongs here: reading them from the project's YAML. Not here: what follows from them (answers, warehouse.publish).
"""

from itertools import chain
from typing import Final

import yaml

from join_pipeline.transform.run import project_dir

LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Ten times faster where PyYAML was built with its C library."""


def read_audiences() -> dict[str, str]:
    """The audience of each model and seed that names one: `shared`, `analyst` or `people`."""
    found = {}
    files = chain(project_dir().glob("models/**/*.yml"), project_dir().glob("seeds/**/*.yml"))
    for file in files:
        described = yaml.load(file.read_text(encoding="utf-8"), LOADER) or {}  # noqa: S506  a safe loader
        for node in chain(described.get("models") or (), described.get("seeds") or ()):
            audience = ((node.get("config") or {}).get("meta") or node.get("meta") or {}).get("audience")
            if audience:
                found[node["name"]] = audience
    return found
