"""dbt's exposures name what people open, and every published model that it rests on."""

from typing import Any

import yaml

from join_pipeline.transform.exposures import exposures_file


def node(name: str, schema: str = "recruiting", kind: str = "model", **meta: str) -> dict[str, Any]:
    return {"name": name, "schema": schema, "resource_type": kind, "config": {"meta": meta}}


MANIFEST = {
    "nodes": {
        "m.1": node("mart_speed", audience="shared"),
        "m.2": node("who_waits", audience="shared", answer="who's waiting, and for how long"),
        "m.3": node("int_scope", "intermediate"),
        "m.4": node("contacts", "people", audience="people"),
        "s.1": node("metric_definition", kind="seed", audience="shared"),
        "t.1": node("unique_mart_speed", kind="test"),
    }
}


def exposures(report: str = "", notebook: str = "") -> dict[str, dict[str, Any]]:
    found = yaml.safe_load(exposures_file(MANIFEST, [report], [notebook]))["exposures"]
    return {exposure["name"]: exposure for exposure in found}


def test_a_file_rests_on_what_is_published_in_it_and_on_nothing_else() -> None:
    found = exposures()
    assert found["published_file"]["depends_on"] == [
        "ref('mart_speed')",
        "ref('metric_definition')",
        "ref('who_waits')",
    ]
    assert found["people_file"]["depends_on"] == ["ref('contacts')"]


def test_the_report_and_the_notebook_rest_on_what_their_queries_read() -> None:
    report = "WITH shown AS (FROM Recruiting.mart_speed) SELECT 1 FROM shown\nJOIN metric_definition USING (id)"
    found = exposures(report, "# from one sync to the next\nFROM who_waits")
    assert found["report"]["depends_on"] == ["ref('mart_speed')", "ref('metric_definition')"]
    assert found["notebook"]["depends_on"] == ["ref('who_waits')"]


def test_each_view_that_answers_is_one_with_its_question_in_words() -> None:
    answers = {name: found for name, found in exposures().items() if name.startswith("answer_")}
    assert list(answers) == ["answer_who_waits"]
    assert answers["answer_who_waits"]["label"] == "Who waits?"
    assert answers["answer_who_waits"]["description"] == "The view who_waits: who's waiting, and for how long."
    assert answers["answer_who_waits"]["depends_on"] == ["ref('who_waits')"]
