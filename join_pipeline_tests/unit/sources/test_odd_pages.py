"""Pages with a record that the strict JSON reader refuses: the page's other records come as they were sent."""

import json

import pytest

from join_pipeline.errors import ContractError
from join_pipeline.http.bodies import as_json
from join_pipeline.http.tolerant import Unreadable, parse, split
from join_pipeline.sandbox.odd_parts import ODD_JSON
from join_pipeline.sources.join.answers import records_of
from join_pipeline.sources.kombo.answers import list_of

FIRST, LAST = b'{"id":1,"changed_at":"x","lastUpdatedAt":"x"}', b'{ "id" : 3, "t": ["a]", {"b": "}\\""}] }'


@pytest.mark.parametrize("odd", [odd.encode() for odd in ODD_JSON.values()] + [b'"a \xfc b"'], ids=[*ODD_JSON, "bytes"])
@pytest.mark.parametrize("key", ["id", "name", r"half \ud83d", r"nul \u0000"])
def test_a_record_with_an_odd_part_leaves_the_others_as_they_are(odd: bytes, key: str) -> None:
    record = b'{"x": "id", "' + key.encode() + b'": ' + odd + b"}"
    body = as_json(b"[" + FIRST + b" , " + record + b"," + LAST + b"]")
    assert body is not None
    found = records_of(body)
    assert found is not None
    assert [one.payload for one in (found[0], found[2])] == [FIRST, LAST]
    assert [one.id for one in (found[0], found[2])] == ["1", "3"]
    assert found[0].updated == "x"
    envelope = as_json(b'{"status":"success","data":{"next":"c","results":[' + FIRST + b"," + record + b"]}}")
    assert envelope is not None
    listed = list_of(envelope)
    assert listed is not None
    assert (listed.records[0].payload, listed.next, len(listed.records)) == (FIRST, "c", 2)
    assert listed.records[1].payload == found[1].payload


@pytest.mark.parametrize(
    "text",
    ["", "[1,]", "{,}", "[,1]", '{"a"}', '{"a":}', '{"a":1,}', "[1 2]", "]", "[}", '{"a":1 "b":2}', "<html>", "nul",
     "[1]]", '{"a":1:2}', "{1:2}", "[:1]", "01", '["a]', "[" * 3000, "[" * 3000 + "]" * 2999, '{"a":' * 3000],
)  # fmt: skip
def test_what_is_not_whole_is_no_json(text: str) -> None:
    assert as_json(text.encode()) is None
    with pytest.raises(ContractError, match="not JSON"):
        parse(text)


@pytest.mark.parametrize("is_ascii", [True, False])
@pytest.mark.parametrize(
    "value",
    [None, [], {}, [[]], [1, -2.5, 1e300, "a\"\\\n/é😀"], {"a": {"b": [{"c": None}]}, "": True}, "text", 7,
     {"d": [{}, []]}],
    ids=str,
)  # fmt: skip
def test_sound_json_is_read_as_the_strict_reader_reads_it(value: object, is_ascii: bool) -> None:
    for indent in (None, 2):
        text = json.dumps(value, ensure_ascii=is_ascii, indent=indent)
        assert parse(text) == value
        parts = split(text)
        if isinstance(value, list):
            assert [json.loads(part) for part in parts or []] == value
        elif isinstance(value, dict):
            assert isinstance(parts, dict)
            assert {key: json.loads(part) for key, part in parts.items()} == value
        else:
            assert parts is None


def test_of_a_repeated_key_the_last_value_holds() -> None:
    assert parse('{"id": 1, "id": 2}') == {"id": 2}


def test_what_no_column_can_hold_is_marked_where_it_is() -> None:
    found = parse('{"a": 1e999, "b": [NaN], "c": ' + "9" * 5000 + ', "d": 1, "\\u0000": "\\ud800"}')
    assert found == {
        "a": Unreadable.NUMBER,
        "b": [Unreadable.NUMBER],
        "c": Unreadable.NUMBER,
        "d": 1,
        "\ufffd": "\ufffd",
    }
    deep = parse("[" * 3000 + "]" * 3000)
    for _ in range(64):
        (deep,) = deep
    assert deep is Unreadable.DEPTH
