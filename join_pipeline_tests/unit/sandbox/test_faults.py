"""Each fault, switched on over the control path and seen over HTTP."""

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
