"""Each fault, switched on over the control path and seen over HTTP."""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from join_pipeline.sandbox import SandboxConfig, running

CONFIG = SandboxConfig(port=0, seed=3, applications=180, rate_limit=None, slow_seconds=0.3)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running(CONFIG) as url:
        yield url


@pytest.fixture
def api(url) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, headers={"Authorization": CONFIG.token}) as client:
        yield client
        client.post("/control/faults", json={}).raise_for_status()


@contextmanager
def failing(api: httpx.Client, **rates: float) -> Iterator[None]:
    assert api.post("/control/faults", json=rates).json() == rates
    yield
    api.post("/control/faults", json={})


def test_faults_that_nobody_knows_are_refused(api):
    for body in ({"gremlins": 1}, {"slow": 2}, {"slow": "often"}, ["slow"]):
        assert api.post("/control/faults", json=body).status_code == 422
    assert api.get("/control/faults").json() == {}
    with pytest.raises(ValueError, match="gremlins"):
        SandboxConfig(faults={"gremlins": 0.5})


def test_rate_limited_says_when_to_come_back(api):
    with failing(api, rate_limited=1):
        answer = api.get("/v2/jobs")
    assert answer.status_code == 429
    assert answer.headers["x-ratelimit-remaining"] == "0"
    assert answer.headers["x-ratelimit-reset"] == "1"


@pytest.mark.parametrize(("fault", "status"), [("server_error", 500), ("bad_gateway", 502), ("not_json", 200)])
def test_answers_of_a_server_in_trouble(api, fault, status):
    with failing(api, **{fault: 1}):
        answer = api.get("/v2/jobs")
    assert answer.status_code == status
    assert answer.text.startswith("{" if fault == "server_error" else "<html>")


def test_a_rate_is_a_share_of_the_requests(api):
    with failing(api, server_error=0.3):
        failed = sum(api.get("/v2/seniorityLevels").status_code == 500 for _ in range(200))
    assert 30 <= failed <= 90


def test_a_slow_answer_takes_its_time(api):
    with failing(api, slow=1):
        assert api.get("/v2/jobs").elapsed.total_seconds() >= 0.3


def test_a_dropped_connection_breaks_off_in_the_middle(api):
    with failing(api, dropped=1), pytest.raises(httpx.RemoteProtocolError):
        api.get("/v2/applications")
    assert api.get("/v2/applications").status_code == 200


def test_truncated_is_a_whole_answer_with_half_a_document(api):
    with failing(api, truncated=1):
        answer = api.get("/v2/applications")
    assert int(answer.headers["content-length"]) == len(answer.content)
    with pytest.raises(ValueError, match=r"Unterminated|Expecting|delimiter"):
        answer.json()


def test_a_listing_that_is_no_list(api):
    with failing(api, not_a_list=1):
        assert isinstance(api.get("/v2/jobs").json(), dict)


def changed_records(api: httpx.Client, path: str, **rates: float) -> list[tuple[dict, dict]]:
    good = api.get(path).json()
    with failing(api, **rates):
        bad = api.get(path).json()
    assert len(good) == len(bad)
    return [(one, other) for one, other in zip(good, bad, strict=True) if one != other]


@pytest.mark.parametrize("path", ["/v2/applications", "/v2/jobs"])
def test_one_record_of_a_page_is_spoiled(api, path):
    [(good, bad)] = changed_records(api, path, extra_field=1)
    assert set(bad) - set(good) == {"talentScore"}
    [(good, bad)] = changed_records(api, path, missing_field=1)
    assert len(set(good) - set(bad)) == 1
    [(good, bad)] = changed_records(api, path, missing_id=1)
    assert set(good) - set(bad) == {"id"}
    [(good, bad)] = changed_records(api, path, unknown_enum=1)
    changed = {key for key in good if good[key] != bad[key]}
    assert {bad[key] for key in changed} == {"ON_HOLD"}
    assert len(changed) == (2 if "state" in changed else 1)


def listing(api: httpx.Client) -> list[int]:
    found: list[int] = []
    for page in range(1, 100):
        records = api.get("/v2/applications", params={"page": page, "pageSize": 20}).json()
        found += [record["id"] for record in records]
        if not records:
            break
    return found


def test_applications_arrive_and_vanish_between_pages_and_the_truth_tells(api):
    before = listing(api)
    n_repeated = n_missed = 0
    with failing(api, shifting=1):
        for _ in range(12):
            found = listing(api)
            n_repeated += len(found) - len(set(found))
            n_missed += len(set(before) - set(found))
    assert n_repeated > 0
    assert n_missed > 0  # a record that is there, and that a whole listing did not show
    after = listing(api)
    assert set(before) <= set(after)
    events = [line for line in api.get("/control/truth").text.splitlines() if '"source":"Other"' in line]
    assert len(events) > len(set(after) - set(before)) > 0


def test_resigned_urls_differ_at_each_read_and_open_all_the_same(api):
    def urls() -> list[str]:
        return [item["url"] for record in api.get("/v2/applications").json() for item in record["attachments"]]

    assert urls() == urls()
    with failing(api, resigned=1):
        one, other = urls(), urls()
    assert not set(one) & set(other)
    assert [url.partition("?")[0] for url in one] == [url.partition("?")[0] for url in other]
    assert {api.get(url).status_code for url in (one[0], other[0])} == {200}


def pages(api: httpx.Client, *numbers: int) -> list[list[int]]:
    query = {"pageSize": 20}
    return [
        [record["id"] for record in api.get("/v2/applications", params={**query, "page": number}).json()]
        for number in numbers
    ]


def test_a_page_is_wrong_once_in_each_reading_and_right_when_it_is_asked_for_again(api):
    right = pages(api, 1, 2, 3)
    with failing(api, empty_page=1):
        assert pages(api, 1, 1, 2, 3) == [[], *right]
        assert pages(api, 1, 1) == [[], right[0]], "a new reading"
    with failing(api, repeated_page=1):
        assert pages(api, 1, 2, 2, 3) == [right[0], right[0], right[1], right[2]]
    with failing(api, short_page=1):
        first, again, second = pages(api, 1, 1, 2)
    assert 0 < len(first) < 20
    assert first == right[0][: len(first)]
    assert [again, second] == right[:2]
    assert pages(api, 1, 2, 3) == right


def test_the_last_page_is_never_short_by_the_fault(api):
    last = next(number for number in range(1, 100) if len(pages(api, number)[0]) < 20)
    right = pages(api, last)
    with failing(api, short_page=1):
        assert pages(api, last) == right


def test_a_list_whose_pages_are_ignored_shows_its_first_one(api):
    with failing(api, ignored_page=1):
        first, second = pages(api, 1, 2)
    assert first == second == pages(api, 1)[0]


def test_a_redirect_drops_the_query_of_what_has_one(api):
    with failing(api, redirected=1):
        answer = api.get("/v2/applications", params={"page": 2})
        assert api.get("/v2/applications").status_code == 200
    assert (answer.status_code, answer.headers["location"]) == (302, "/v2/applications")


def test_an_empty_list_can_be_an_answer_without_content(api):
    with failing(api, no_content=1):
        assert api.get("/v2/applications", params={"page": 90}).status_code == 204
        assert api.get("/v2/applications").status_code == 200


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/v2/jobs", {}),
        ("/kombo/v1/check-api-key", {"Authorization": f"Bearer {CONFIG.kombo.api_key}"}),
    ],
)
def test_an_error_with_200_has_the_shape_of_its_api(api, path, headers):
    with failing(api, error_in_200=1):
        answer = api.get(path, headers=headers)
    assert answer.status_code == 200
    assert answer.json()["error"]["message"] == "something went wrong"


@pytest.mark.parametrize("fault", ["packed", "recoded", "dripping"])
def test_an_odd_body_has_the_same_content(api, fault):
    right = api.get("/v2/seniorityLevels").json()
    for _ in range(8):
        with failing(api, **{fault: 1}), api.stream("GET", "/v2/seniorityLevels") as answer:
            body = b"".join(answer.iter_raw())
        if fault == "packed":
            assert body.count(gzip.compress(b"")[:2]) >= 2
            body = gzip.decompress(body)
        assert json.loads(body) == right


def test_packing_that_is_broken_and_an_answer_that_unpacks_to_much(api):
    with failing(api, broken_packing=1), pytest.raises(EOFError), api.stream("GET", "/v2/jobs") as answer:
        gzip.decompress(b"".join(answer.iter_raw()))
    with failing(api, huge=1), api.stream("GET", "/v2/jobs") as answer:
        packed = b"".join(answer.iter_raw())
    assert len(packed) < 200_000
