"""Pages: the generated ones are up to date; every model and column has a description, which begins with the grain."""

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from join_pipeline.models import MODELS
from join_pipeline.settings import declared, env_name, load_settings
from join_pipeline.transform.run import read_manifest
from join_pipeline.warehouse.publish import PEOPLE, READERS

ROOT = Path(__file__).parents[2]
PROJECT = ROOT / "dbt_project"
AUDIENCES = {"marts": READERS, "answers": READERS, "people": PEOPLE}


def described() -> list[tuple[Path, dict[str, Any]]]:
    """Every model with what its YAML says, and its file."""
    said = {
        model["name"]: model
        for file in PROJECT.glob("models/**/*.yml")
        for model in yaml.safe_load(file.read_text()).get("models", [])
    }
    return [(path, said.get(path.stem, {})) for path in sorted(PROJECT.glob("models/**/*.sql"))]


def made(manifest: dict[str, Any]) -> dict[Path, str]:
    """The committed files that docs/make.py makes, as it makes them now."""
    spec = importlib.util.spec_from_file_location("docs_make", ROOT / "docs" / "make.py")
    assert spec is not None
    assert spec.loader is not None
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    return make.committed(manifest)


def test_committed_files_that_are_made_are_up_to_date(tmp_path: Path) -> None:
    files = made(read_manifest(load_settings(data=tmp_path)))
    assert len(files) > 3
    stale = [str(path.relative_to(ROOT)) for path, text in files.items() if path.read_text() != text]
    assert stale == [], "run `make generated`"


def test_pictures_are_small_and_on_a_page() -> None:
    text = "".join(page.read_text() for page in (ROOT / "docs").rglob("*.md"))
    pictures = sorted((ROOT / "docs" / "pictures").glob("*"))
    assert len(pictures) >= 3
    for picture in pictures:
        assert picture.stat().st_size <= 150_000, f"{picture.name}: take it with fewer colours, or less of the page"
        assert f"pictures/{picture.name})" in text, f"{picture.name} is on no page"


def test_the_page_of_marts_names_every_mart_and_view_once() -> None:
    named = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "reference" / "marts.md").read_text(), re.MULTILINE)
    models = [path.stem for folder in ("marts", "answers") for path in PROJECT.glob(f"models/{folder}/**/*.sql")]
    assert sorted(named) == sorted(models)


@pytest.mark.parametrize(("path", "model"), described(), ids=lambda value: getattr(value, "stem", ""))
def test_every_model_says_its_grain_first_and_describes_its_columns(path: Path, model: dict[str, Any]) -> None:
    assert model.get("description", "").strip().startswith("One row"), path.stem
    audience = AUDIENCES.get(path.relative_to(PROJECT / "models").parts[0])
    if audience is None:
        return
    assert model["config"]["meta"]["audience"] in audience.words
    assert model["columns"]
    for column in model["columns"]:
        assert column.get("description"), (path.stem, column["name"])
        assert column.get("data_type"), (path.stem, column["name"])
        assert 1 <= column["config"]["meta"]["tier"] <= audience.highest_tier, (path.stem, column["name"])
        assert column["name"] != "remote_id", path.stem


def test_the_privacy_page_names_settings_and_figures_that_are_so() -> None:
    page = (ROOT / "docs" / "privacy.md").read_text()
    defaults = {env_name(name): field.default for name, field in declared().items()}
    for name, shown in (("RAW_DAYS", 14), ("K", 5), ("MINIMUM_N", 10)):
        assert defaults[f"JOIN_PIPELINE_{name}"] == shown
        assert f"`JOIN_PIPELINE_{name}` ({shown})" in page
    assert defaults["JOIN_PIPELINE_PUBLISH_PEOPLE"] is defaults["JOIN_PIPELINE_PER_PERSON"] is False
    assert {column.tier for model in MODELS.values() for column in model.columns} == {1, 2, 3}


def test_what_is_shared_either_hides_small_groups_or_counts_nobody() -> None:
    shared = [
        (path, model)
        for path, model in described()
        if model.get("config", {}).get("meta", {}).get("audience") == "shared"
    ]
    assert len(shared) > 10
    for path, model in shared:
        sql = path.read_text()
        hides = "is_hidden(" in sql or "var('k')" in sql or "int_funnel_suppression" in sql
        hides = hides or path.parent.name == "answers"  # views on what hides: dbt/test_answers.py
        counts = [column["name"] for column in model["columns"] if column["name"].startswith("n_")]
        assert hides or not counts or path.stem == "dim_sync", (path.stem, counts)  # that one counts a sync's records
        keys = {"application_key", "candidate_key", "user_key"} & {column["name"] for column in model["columns"]}
        assert not keys, (path.stem, keys)
