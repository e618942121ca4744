"""Reference lists: one that JOIN answers wrongly costs its names and no more."""

import pytest

from join_pipeline.errors import NoAnswerError, SourceError, TransientError
from join_pipeline.sources.join.references import read_references
from join_pipeline_tests.unit.sources.join.loopback import Answer, Asked, as_json, reading, serving


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


ODD = {
    "a page": Answer(b"<html>Maintenance</html>", headers={"Content-Type": "text/html"}),
    "an outage": as_json({"message": "something went wrong"}, 500),
    "an object": as_json({"a": 1}),
    "nothing": Answer(b""),
    "no list of that name": as_json({"message": "not found"}, 404),
}


@pytest.mark.parametrize("odd", ODD)
def test_a_list_that_is_answered_wrongly_is_none_and_the_others_are_read(odd: str) -> None:
    def answer(asked: Asked) -> Answer:
        return ODD[odd] if asked.path.endswith("/employmentTypes") else as_json([{"id": 1, "name": "one"}])

    with serving(answer) as server, reading(server.url) as client:
        found = {feed.name: page and len(page.records) for feed, page in read_references(client)}
    assert found == {"categories": 1, "employment_types": None, "seniority_levels": 1}


def test_if_all_lists_are_answered_wrongly_it_is_told() -> None:
    with (
        serving(lambda _: ODD["a page"]) as server,
        reading(server.url) as client,
        pytest.raises(TransientError, match="a web page"),
    ):
        read_references(client)


@pytest.mark.parametrize(
    ("answer", "kind"), [(Answer(is_dropped=True), NoAnswerError), (as_json({}, 401), SourceError)]
)
def test_without_an_answer_or_the_right_token_nothing_goes_on(answer: Answer, kind: type[SourceError]) -> None:
    with serving(lambda _: answer) as server, reading(server.url) as client:
        with pytest.raises(kind):
            read_references(client)
        assert {asked.path.rpartition("/")[2] for asked in server.asked} == {"categories"}
