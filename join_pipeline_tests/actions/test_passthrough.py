"""Passthrough: any call below the base URL, with our token and no header of the caller; every status is returned."""

import posixpath
from base64 import b64decode
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from join_pipeline.actions.passthrough import FormPart, call, checked_path
from join_pipeline.errors import InputError, TransientError
from join_pipeline_tests.actions.company import TOKEN, Company
from join_pipeline_tests.unit.sources.join.loopback import Answer, Loopback, as_json, serving


def server_settings(server: Loopback, tmp_path: Path):
    return Company(server.url.removesuffix("/v2"), tmp_path).settings()


def test_an_answer_is_url_status_headers_and_data(company: Company) -> None:
    answered = call(company.settings(), "get", "/jobs", params={"status": "ONLINE", "pageSize": "1"})
    assert answered.status == 200
    assert answered.url == f"{company.url}/v2/jobs?status=ONLINE&pageSize=1"
    assert answered.headers["content-type"] == "application/json"
    assert [job["status"] for job in answered.data] == ["ONLINE"]


@pytest.mark.parametrize(("path", "status"), [("/jobs/999999", 404), ("/nothing", 404)])
def test_an_error_status_is_data(company: Company, path: str, status: int) -> None:
    answered = call(company.settings(), "GET", path)
    assert (answered.status, set(answered.data)) == (status, {"error"})


def test_a_refused_token_is_data_too(company: Company) -> None:
    assert call(company.settings(join_api_token="wrong"), "GET", "/jobs").status == 401


def test_nothing_is_sent_twice(tmp_path: Path) -> None:
    with serving(lambda _: as_json({}, 503)) as server:
        assert call(server_settings(server, tmp_path), "GET", "/jobs").status == 503
        assert len(server.asked) == 1
    with pytest.raises(TransientError, match="no response"):
        call(server_settings(server, tmp_path), "GET", "/jobs")


def test_the_callers_credentials_and_framing_stay_here(tmp_path: Path) -> None:
    given = {
        "authorization": "Bearer mine",
        "Cookie": "session=mine",
        "Proxy-Authorization": "mine",
        "X-API-Key": "mine",
        "Host": "evil.example.org",
        "Transfer-Encoding": "chunked",
        "Content-Length": "5",
        "Content_Length": "6",
        "Accept-Language": "de",
    }
    with serving(lambda _: as_json([], **{"Set-Cookie": "theirs=1", "X-Total": "3"})) as server:
        answered = call(server_settings(server, tmp_path), "GET", "/jobs", headers=given)
    [asked] = server.asked
    assert asked.headers["authorization"] == TOKEN
    assert asked.headers["accept-language"] == "de"
    assert "mine" not in str({name: text for name, text in asked.headers.items() if name != "authorization"})
    assert "evil" not in asked.headers["host"]
    assert {"content-length", "content_length", "transfer-encoding"}.isdisjoint(asked.headers)
    assert "set-cookie" not in answered.headers
    assert answered.headers["x-total"] == "3"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "jobs",
        "https://evil.example.org/v2/jobs",
        "//evil.example.org/jobs",
        "/\\evil.example.org",
        "/../control/faults",
        "/jobs/../../control",
        "/jobs/..",
        "/%2e%2e/control",
        "/jobs/%2E%2E/%2e%2e/control",
        "/jobs/%252e%252e/control",
        "/jobs%2f..%2f..%2fcontrol",
        "/./jobs",
        "/jobs//1",
        "/jobs?status=ONLINE",
        "/jobs#x",
        "/jobs\r\nX-Evil: 1",
        "/jobs\x00",
        "/jobs/ü",
        "/@evil.example.org\\",
        "/jobs/%5c..%5c",
        "/jobs%0d%0aX-Evil:1",
        "/..;/control",
        "/jobs/..;x=1/control",
        "/.;/jobs",
        "/jobs/%2e%2e;/control",
        "/jobs/..%3b/control",
        "/;/control",
        "/...;/control",
        "/jobs/%20..%20/control",
        "/jobs/%ef%bc%8e%ef%bc%8e/control",
        "/jobs/%e2%80%a5/control",
        "/jobs/%c0%ae%c0%ae/control",
        "/jobs/1%2f2",
        "/jobs/1%252f2",
        "/jobs/1%ef%bc%8f2",
        "/jobs%3f_method=DELETE",
        "/jobs%23x",
        "/jobs%2523x",
        "/%25252525252525252525252e./x",
        "/%2f%2fevil.example.org/jobs",
        "/%5c%5cevil.example.org/jobs",
    ],
)
def test_a_path_that_could_lead_elsewhere_is_refused(tmp_path: Path, path: str) -> None:
    with serving(lambda _: as_json([])) as server:
        with pytest.raises(InputError, match=r"^path: "):
            call(server_settings(server, tmp_path), "GET", path)
        assert server.asked == []


@pytest.mark.parametrize("path", ["/jobs", "/jobs/1", "/applications/1/notes", "/a-b_c.d~e/f%20g", "/@me", "/jobs/"])
def test_a_plain_path_lands_below_the_base_url(tmp_path: Path, path: str) -> None:
    with serving(lambda _: as_json([])) as server:
        call(server_settings(server, tmp_path), "GET", path)
    assert server.asked[0].path == f"/v2{path}"


@given(st.text(st.sampled_from("/.;%2eEfF5cC3b?#\\\\@:ajobs"), max_size=16))
@settings(max_examples=400, deadline=None)
def test_any_path_is_refused_or_lies_below_the_base_url(text: str) -> None:
    """Read as a server reads it: decoded as often as it goes, without parameters, and with its dots resolved."""
    path = f"/{text}"
    try:
        checked_path(path)
    except InputError:
        return
    url = httpx.URL("https://api.example.org/v2").copy_with(path=f"/v2{path}")
    plain = url.raw_path.decode()
    while unquote(plain) != plain:
        plain = unquote(plain)
    parts = [part.partition(";")[0] for part in plain.replace("\\\\", "/").split("/")]
    assert (url.scheme, url.host, url.userinfo, url.query, url.fragment) == ("https", "api.example.org", b"", b"", "")
    assert not {".", ".."} & set(parts)
    assert posixpath.normpath("/".join(parts)).startswith("/v2")


@pytest.mark.parametrize(
    "name",
    [
        "X-HTTP-Method-Override",
        "x-http-method",
        "X-Method-Override",
        "X_HTTP_METHOD_OVERRIDE",
        "X-Original-Method",
        "X-Forwarded-Method",
        "_method",
        "X-Original-URL",
        "x-rewrite-url",
        "X-Forwarded-Host",
        "X_Forwarded_Prefix",
    ],
)
def test_a_header_that_would_change_the_call_is_refused(tmp_path: Path, name: str) -> None:
    with serving(lambda _: as_json([])) as server:
        with pytest.raises(InputError, match=r"^headers: .* would "):
            call(server_settings(server, tmp_path), "GET", "/jobs", headers={name: "DELETE"})
        assert server.asked == []


@pytest.mark.parametrize(
    "name", ["_method", "_METHOD", "_method[]", "$httpMethod", "X-HTTP-Method-Override", "http_method"]
)
def test_a_parameter_that_would_change_the_method_is_refused(tmp_path: Path, name: str) -> None:
    with serving(lambda _: as_json([])) as server:
        with pytest.raises(InputError, match=r"^params: .* would change the method"):
            call(server_settings(server, tmp_path), "GET", "/jobs", params={name: "DELETE"})
        with pytest.raises(InputError, match=r"^params: .* would change the method"):
            call(
                server_settings(server, tmp_path),
                "POST",
                "/jobs",
                multipart_form_data=[FormPart(name=name, value=b"DELETE")],
            )
        assert server.asked == []


def test_a_read_has_no_form(company: Company) -> None:
    with pytest.raises(InputError, match=r"^data: GET takes none"):
        call(company.settings(), "GET", "/jobs", multipart_form_data=[FormPart(name="a", value=b"b")])


def test_a_redirect_is_an_answer_and_the_token_stays(tmp_path: Path) -> None:
    with serving(lambda _: as_json({})) as other:
        with serving(lambda _: Answer(status=302, headers={"Location": f"{other.url}/jobs"})) as server:
            answered = call(server_settings(server, tmp_path), "GET", "/jobs")
        assert (answered.status, answered.headers["location"]) == (302, f"{other.url}/jobs")
        assert other.asked == []


def test_a_write_is_carried_out(company: Company) -> None:
    candidate = company.get("/applications")[0]["candidate"]["id"]
    answered = call(company.settings(), "POST", f"/candidates/{candidate}/notes", data={"content": "Grüezi"})
    assert answered.status == 201
    refused = call(company.settings(), "POST", f"/candidates/{candidate}/notes", data=b"no json")
    assert refused.status == 422


def test_a_form_goes_out_as_one(company: Company) -> None:
    candidate = company.get("/applications")[0]["candidate"]["id"]
    form = [
        FormPart(name="content", value=b"x"),
        FormPart(name="file", value=b"y", file_name="y.txt", content_type="text/plain"),
    ]
    answered = call(company.settings(), "POST", f"/candidates/{candidate}/notes", multipart_form_data=form)
    assert "not JSON" in answered.data["error"]["message"]  # it came, and as what it is
    with pytest.raises(InputError, match=r"^data: "):
        call(company.settings(), "POST", "/jobs", data={}, multipart_form_data=form)


def test_bytes_come_as_base64_where_asked_for(company: Company) -> None:
    shown = next(one for one in company.strangers() if one["attachments"])["attachments"][0]["url"]
    path, _, query = shown.partition("/v2")[2].partition("?")
    params = dict(part.split("=") for part in query.split("&"))
    answered = call(company.settings(), "GET", path, params=params, response_as_base64=True)
    assert b64decode(answered.data).startswith(b"%PDF-")
    with serving(lambda _: Answer(b"\xff\xfe\x00")) as server, pytest.raises(InputError, match="as base64"):
        call(server_settings(server, company.data), "GET", "/file")


@pytest.mark.parametrize(
    ("method", "headers", "data", "field"),
    [
        ("TRACE", {}, None, "method"),
        ("GET /x HTTP/1.1", {}, None, "method"),
        ("GET", {}, {"a": 1}, "data"),
        ("GET", {"X": "a\r\nY: b"}, None, "headers"),
        ("GET", {"X Y": "a"}, None, "headers"),
    ],
)
def test_what_is_no_call_is_refused(company: Company, method: str, headers: dict[str, str], data: object, field: str):
    with pytest.raises(InputError, match=rf"^{field}: "):
        call(company.settings(), method, "/jobs", headers=headers, data=data)
