"""The page: texts in both languages, charts that compile, and a policy that allows its own scripts only."""

import base64
import hashlib
import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import vl_convert
import yaml

from join_pipeline.report import page as page_room
from join_pipeline.report.charts import charts
from join_pipeline.report.data import Dataset
from join_pipeline.report.group_queries import HORIZON, SHOWN_GROUPS
from join_pipeline.report.page import SECTIONS, chart_specs, render
from join_pipeline.report.queries import DATASETS
from join_pipeline.report.texts import read_texts
from join_pipeline.transform.run import project_dir

REPORT = Path(str(resources.files("join_pipeline.report")))
SCRIPTS = "\n".join(path.read_text() for path in sorted((REPORT / "assets" / "app").glob("*.js")))
SKELETON = (REPORT / "assets" / "page.html").read_text()
TEXTS = {language: one["texts"] for language, one in read_texts().items()}
FORMS = re.compile(r"\.(one|other)$")
ABOUT = {"connection": "a <b> & c", "language": None, "time_zone": "UTC", "minimum_n": 10}
ABOUT |= {"as_of": None, "first_sync_at": None, "n_syncs": 0}
ABOUT |= {"source": {"title": "JOIN", "since_word": "lastUpdatedAt"}}


def page(**about: Any) -> str:
    empty = {name: Dataset(["name"], []) for name in DATASETS}
    return render({**ABOUT, **about}, {**empty, "groups": Dataset(["name"], [("</script>\u2028<!--",)])}, "draw();")


def chart_data(node: Any) -> set[str]:
    """Names of the datasets that a chart draws."""
    if isinstance(node, list):
        return set().union(*map(chart_data, node))
    if not isinstance(node, dict):
        return set()
    own = {node["data"]["name"]} if isinstance(node.get("data"), dict) else set()
    return own.union(*map(chart_data, node.values()))


def test_the_charts_are_those_of_the_code_and_lie_safely_in_a_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = chart_specs(tmp_path)
    assert json.loads(made) == charts()
    assert "<" not in made
    assert not list(tmp_path.iterdir()), "run `make statements`"
    monkeypatch.setattr(page_room, "sources_digest", lambda: "other code")
    assert chart_specs(tmp_path) == made
    (kept,) = tmp_path.iterdir()
    kept.write_text("what is kept")  # it is read, and not made again
    assert chart_specs(tmp_path) == "what is kept"
    assert made in render(
        ABOUT, {name: Dataset(["name"], []) for name in DATASETS} | {"groups": Dataset(["name"], [])}, "", made
    )


def test_both_languages_have_the_same_texts_but_for_definitions() -> None:
    english, german = (
        {key for key in TEXTS[language] if not re.match(r"definition\.\w+\.", key)} for language in ("en", "de")
    )
    assert english == german


def test_a_text_takes_the_same_values_in_both_languages() -> None:
    for key, text in TEXTS["en"].items():
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", TEXTS["de"][key])), key


def test_every_text_that_is_asked_for_is_there() -> None:
    asked = set(re.findall(r'\bt\(\s*"([\w. ]+)"', SCRIPTS))
    asked |= set(re.findall(r'data-t(?:-label)?="([\w.]+)"', SKELETON))
    asked |= set(re.findall(r'"\$([a-z_]+\.[\w.]+)"', json.dumps(charts()))) - {"axis.own"}
    known = set(TEXTS["en"]) | {FORMS.sub("", key) for key in TEXTS["en"]}
    assert asked - known == set()
    figures = {figure for inside in SECTIONS.values() for figure in inside}
    assert {f"{figure}.title" for figure in figures} | {f"section.{name}" for name in SECTIONS} <= known


def test_every_figure_is_drawn_by_a_chart_and_defined_by_known_metrics_in_both_languages() -> None:
    drawn = dict(re.findall(r'figures\.(\w+) = \{\s*chart: "(\w+)"', SCRIPTS))
    assert set(drawn) == {figure for inside in SECTIONS.values() for figure in inside}
    assert set(drawn.values()) == set(charts())
    named = set(re.findall(r'"(\w+)"', " ".join(re.findall(r"definitions: \[([^\]]*)\]", SCRIPTS))))
    seed = (project_dir() / "seeds" / "metric_definition.csv").read_text()
    assert {name for name in named if not re.search(rf"^{name},", seed, re.MULTILINE)} == set()
    parts = ("name", "formula", "inclusion", "censoring", "caveat")
    assert {f"definition.{name}.{part}" for name in named for part in parts} <= set(TEXTS["de"])


@pytest.mark.parametrize("name", list(charts()))
def test_every_chart_compiles(name: str) -> None:
    chart = charts()[name]
    chart |= {"width": 400, "datasets": {data: [] for data in chart_data(chart)}}
    assert vl_convert.vegalite_to_vega(chart)["marks"]


def test_queries_read_shared_models_only() -> None:
    declared: dict[str, str] = {}
    for path in (*project_dir().glob("models/marts/**/*.yml"), *project_dir().glob("seeds/*.yml")):
        content = yaml.safe_load(path.read_text())
        for node in (*content.get("models", ()), *content.get("seeds", ())):
            declared[node["name"]] = node.get("config", {}).get("meta", {}).get("audience", "")
    text = "\n".join((*DATASETS.values(), HORIZON, SHOWN_GROUPS))
    read = set(re.findall(r"\b(?:FROM|JOIN)\s+((?:dim|fct|mart|metric|bridge)_\w+)", text))
    assert len(read) > 8
    assert {declared[name] for name in read} == {"shared"}


def test_nothing_in_the_data_ends_its_script() -> None:
    inside = re.search(r'id="report-data">(.*?)</script>', page())
    assert inside
    assert not re.search("[<>&\u2028\u2029]", inside[1])
    assert json.loads(inside[1])["datasets"]["groups"]["rows"] == [["</script>\u2028<!--"]]


def test_the_policy_lets_its_own_two_scripts_run_and_connects_to_nothing() -> None:
    made = page()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', made)
    assert policy
    rules = dict(rule.strip().split(" ", 1) for rule in policy[1].split(";"))
    digests = {
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in re.findall(r"<script>(.*?)</script>", made, re.DOTALL)
    }
    assert set(rules["script-src"].split()) == digests
    assert len(digests) == 2
    assert rules["default-src"] == "'none'"
    assert "connect-src" not in rules, "what is not named follows default-src"


def test_it_names_no_other_place() -> None:
    places = set(re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?([^"')>\s]+)""", page()))
    assert {place for place in places if not place.startswith("#")} == set()


def test_who_shows_and_tells_is_the_source_and_what_is_deleted_is_deleted_in_join() -> None:
    by_join, by_kombo = page(), page(source={"title": "Kombo", "since_word": "updated_after"})
    for made, title, since in ((by_join, "JOIN", "lastUpdatedAt"), (by_kombo, "Kombo", "updated_after")):
        inside = re.search(r'id="report-texts">(.*?)</script>', made)
        assert inside
        said = {language: one["texts"] for language, one in json.loads(inside[1]).items()}
        assert "{api}" not in made
        assert "{announces}" not in made
        assert said["en"]["page.as_of"].startswith(f"What {title} showed until {{at}}")
        assert said["de"]["page.as_of"].startswith(f"Was {title} bis zum {{at}} gezeigt hat")
        for texts in said.values():
            assert title in texts["subject.source"]
            assert title in texts["axis.requests"]
            assert {title, since} <= set(re.findall(r"\w+", texts["check.lastUpdatedAt"].replace("'s", "")))
        assert f"{title} shows the present only" in made  # what stands there before a script has run
        assert "deleted in JOIN while open" in said["en"]["outcome.note"]
        assert "in JOIN gelöscht" in said["de"]["outcome.note"]


def test_the_title_is_escaped_and_in_the_set_language() -> None:
    assert "<title>Recruiting report · a &lt;b&gt; &amp; c</title>" in page()
    german = page(language="de")
    assert '<html lang="de">' in german
    assert "<title>Recruiting-Bericht · " in german
