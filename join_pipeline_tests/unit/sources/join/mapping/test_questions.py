"""Screening questions: format and exact text are their key, and applications and the job's form show them."""

import hashlib
import json

import pytest

from join_pipeline_tests.oracle.payloads import answer, application, job
from join_pipeline_tests.unit.sources.join.mapping.mapped import id_of, of_application, of_job, only


def key(format_type: str, text: str) -> str:
    return f"{format_type}:{hashlib.sha256(text.encode()).hexdigest()[:32]}"


@pytest.mark.parametrize(
    ("join_type", "format_type"),
    [
        ("TEXT", "TEXT"),
        ("SHORT_TEXT", "TEXT"),
        ("LONG_TEXT", "TEXT"),
        ("INTEGER", "NUMBER"),
        ("NUMBER", "NUMBER"),
        ("DATE", "DATE"),
        ("BOOLEAN", "BOOLEAN"),
        ("YES_NO", "BOOLEAN"),
        ("FILE", "FILE"),
        ("SINGLE_CHOICE", "SINGLE_SELECT"),
        ("MULTIPLE_CHOICE", "MULTI_SELECT"),
        ("INFORMATION", "INFORMATION"),
    ],
)
def test_a_type_that_is_known_is_a_format_of_ours(join_type, format_type):
    mapped = of_application(application(1, screeningQuestions=[answer("Wie?", join_type)]))
    row = only(mapped, "screening_questions")
    assert row["format_type"] == json.loads(row["format"])["type"] == format_type
    assert mapped.unknown == []


@pytest.mark.parametrize("join_type", ["SLIDER", "text", "", None])
def test_an_unknown_type_keeps_the_raw_question_without_its_answer_and_is_counted(join_type):
    shown = answer(
        "Wie?", join_type, answer="geheim", file="https://files.example.com/1?sig=2", isSkipped=True, scale=10
    )
    mapped = of_application(application(1, screeningQuestions=[shown]))
    row = only(mapped, "screening_questions")
    assert row["format_type"] == "UNKNOWN"
    assert json.loads(row["format"]) == {
        "type": "UNKNOWN",
        "raw_question": {"question": "Wie?", "type": join_type, "scale": 10},
    }
    assert mapped.unknown == ["screening_questions.type"]


def test_a_question_is_known_by_its_format_and_its_exact_text():
    questions = [answer("Wann?", "DATE"), answer("Wann?", "TEXT"), answer("wann?", "DATE"), answer("Wann? ", "DATE")]
    mapped = of_application(application(1, on_job=3, screeningQuestions=questions))
    keys = [key("DATE", "Wann?"), key("TEXT", "Wann?"), key("DATE", "wann?"), key("DATE", "Wann? ")]
    assert [row["remote_id"] for row in mapped.rows["screening_questions"]] == keys
    assert [row["id"] for row in mapped.rows["screening_questions"]] == [id_of("screening_questions", k) for k in keys]
    assert [row["title"] for row in mapped.rows["screening_questions"]] == ["Wann?", "Wann?", "wann?", "Wann? "]
    assert {row["description"] for row in mapped.rows["screening_questions"]} == {None}


def test_types_that_mean_the_same_are_the_same_question():
    rows = of_application(
        application(1, screeningQuestions=[answer("Wie?", "TEXT"), answer("Wie?", "LONG_TEXT")])
    ).rows["screening_questions"]
    assert rows[0]["id"] == rows[1]["id"]


def test_a_question_is_linked_to_its_job_at_its_position():
    mapped = of_application(application(1, on_job=3, screeningQuestions=[answer("A?", "TEXT"), answer("B?", "DATE")]))
    links = mapped.rows["job_screening_questions"]
    assert [row["index"] for row in links] == [0, 1]
    link = key("DATE", "B?")
    assert {name: links[1][name] for name in ("id", "remote_id", "job_id", "question_id")} == {
        "id": id_of("job_screening_questions", f"3/{link}"),
        "remote_id": f"3/{link}",
        "job_id": id_of("jobs", 3),
        "question_id": id_of("screening_questions", link),
    }
    for name in ("required", "precondition_question_id", "precondition_options"):
        assert links[1][name] is None


def test_options_are_not_guessed_from_answers():
    shown = answer("Was?", "MULTIPLE_CHOICE", answer="rot, blau")
    row = only(of_application(application(1, screeningQuestions=[shown])), "screening_questions")
    assert json.loads(row["format"]) == {"type": "MULTI_SELECT", "options": []}


def test_the_answer_is_in_no_column():
    shown = answer("Was?", "SLIDER", answer="sehr geheim", file="https://files.example.com/geheim")
    mapped = of_application(application(1, screeningQuestions=[shown]))
    for model in ("screening_questions", "job_screening_questions"):
        assert "geheim" not in str(mapped.rows[model])


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        (["rot", "blau"], [("rot", None), ("blau", None)]),
        ([{"id": 5, "name": "rot"}], [("rot", "5")]),
        ([{"value": "rot"}], [("rot", None)]),
        ([1, True], [("1", None), ("True", None)]),
        ([], []),
        (None, []),
    ],
)
def test_options_come_from_the_jobs_form(options, shown):
    form = [{"name": "Farbe?", "type": "SINGLE_CHOICE", "options": options, "required": True}]
    mapped = of_job(job(3, questions=form))
    question = key("SINGLE_SELECT", "Farbe?")
    assert json.loads(only(mapped, "screening_questions")["format"]) == {
        "type": "SINGLE_SELECT",
        "options": [
            {"id": id_of("screening_question_options", f"{question}/{name}"), "name": name, "remote_id": remote_id}
            for name, remote_id in shown
        ],
    }
    assert only(mapped, "job_screening_questions")["required"] is True


def test_the_jobs_own_form_counts_more_than_an_application():
    of_form = only(of_job(job(3, questions=[{"name": "Wie?", "type": "TEXT"}])), "screening_questions")
    of_answer = only(of_application(application(1, screeningQuestions=[answer("Wie?", "TEXT")])), "screening_questions")
    assert of_form["id"] == of_answer["id"]
    assert of_form["priority"] > of_answer["priority"]


def test_a_job_whose_form_is_not_shown_has_no_questions():
    for questions in (None, []):
        assert "screening_questions" not in of_job(job(3, questions=questions)).rows
