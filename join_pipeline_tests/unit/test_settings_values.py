"""Values of settings: a good one comes from its variable, a bad one is named by it and a secret in it not shown.

Belongs here: which values a setting may have. Not here: defaults, secrets and places (test_settings).
"""

import contextlib
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from join_pipeline.errors import SettingsError
from join_pipeline.settings import (
    config_folder,
    declared,
    drop_foreign,
    env_name,
    load_settings,
    process_environment,
    values,
    without_foreign,
)

pytestmark = pytest.mark.usefixtures("no_settings_in_environment")

SECRET = "s3cret-4f7Zq"


def fields_by_name() -> dict[str, str]:
    return {env_name(field): field for field in declared()}


def refusal(monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert caught.value.exit_code == 2
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("JOIN_API_URL", "http://127.0.0.1:8765/v2/", "http://127.0.0.1:8765/v2"),
        ("JOIN_API_URL", "https://[::1]:8765/v2", "https://[::1]:8765/v2"),
        ("JOIN_API_URL", "https://jobs.bücher.example/v2", "https://jobs.bücher.example/v2"),
        ("KOMBO_API_URL", "https://api.us.kombo.dev/v1/", "https://api.us.kombo.dev/v1"),
        ("JOIN_PIPELINE_SOURCE", "kombo", "kombo"),
        ("JOIN_PIPELINE_KOMBO_STALENESS_HOURS", "0", 0.0),
        ("JOIN_PIPELINE_DATA", "/srv/with blank", Path("/srv/with blank")),
        ("JOIN_PIPELINE_DATA", ".", Path()),
        ("JOIN_PIPELINE_CONNECTION", "acme-2_b", "acme-2_b"),
        ("JOIN_PIPELINE_INTEGRATION_ID", "join:abc", "join:abc"),
        ("JOIN_PIPELINE_TIME_ZONE", "America/Argentina/Ushuaia", "America/Argentina/Ushuaia"),
        ("JOIN_PIPELINE_TIME_ZONE", "UTC", "UTC"),
        ("JOIN_PIPELINE_PAGES_IN_FLIGHT", "32", 32),
        ("JOIN_PIPELINE_TIMEOUT_SECONDS", "0.5", 0.5),
        ("JOIN_PIPELINE_MAX_SECOND_LOOKS", "0", 0),
        ("JOIN_PIPELINE_RESUME_HOURS", "0", 0.0),
        ("JOIN_PIPELINE_RAW_DAYS", "0", 0),
        ("JOIN_PIPELINE_MEMORY_LIMIT", "1.5GiB", "1.5GiB"),
        ("JOIN_PIPELINE_PUBLISH_PEOPLE", "true", True),
        ("JOIN_PIPELINE_PER_PERSON", "1", True),
        ("JOIN_PIPELINE_K", "2", 2),
        ("JOIN_PIPELINE_MINIMUM_N", "5", 5),
        ("JOIN_PIPELINE_STUCK_CHANCE", "20", 20.0),
        ("JOIN_PIPELINE_STUCK_DAYS", "0.5", 0.5),
        ("JOIN_PIPELINE_STAGE_MILESTONE_CSV", "/srv/with blank.csv", Path("/srv/with blank.csv")),
        ("JOIN_PIPELINE_SOURCE_CHANNEL_CSV", "sources.csv", Path("sources.csv").absolute()),
    ],
)
def test_a_good_value_comes_from_its_variable(monkeypatch, name, text, value):
    monkeypatch.setenv(name, text)
    assert values(load_settings())[fields_by_name()[name]] == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("JOIN_API_URL", "api.join.com/v2"),
        ("JOIN_API_URL", "ftp://api.join.com"),
        ("JOIN_API_URL", "file:///etc/passwd"),
        ("JOIN_API_URL", "http://api.join.com/v2"),
        ("JOIN_API_URL", "https://"),
        ("JOIN_API_URL", "https:///v2"),
        ("JOIN_API_URL", "https://api join.com/v2"),
        ("JOIN_API_URL", "https://api..join.com/v2"),
        ("JOIN_API_URL", "https://[join/v2"),
        ("JOIN_API_URL", f"https://{'a' * 64}.example/v2"),
        ("JOIN_API_URL", "https://api.join.com:port/v2"),
        ("JOIN_API_URL", "https://api.join.com/v2?x=1"),
        ("JOIN_API_URL", "https://api.join.com/v2#x"),
        ("JOIN_API_URL", f"https://me:{SECRET}@api.join.com/v2"),
        ("KOMBO_API_URL", "http://api.kombo.dev/v1"),
        ("JOIN_PIPELINE_SOURCE", "Kombo"),
        ("JOIN_PIPELINE_KOMBO_STALENESS_HOURS", "-1"),
        ("JOIN_PIPELINE_DATA", "  "),
        ("JOIN_PIPELINE_CONNECTION", "Acme"),
        ("JOIN_PIPELINE_CONNECTION", "../elsewhere"),
        ("JOIN_PIPELINE_CONNECTION", "a/b"),
        ("JOIN_PIPELINE_CONNECTION", "-a"),
        ("JOIN_PIPELINE_CONNECTION", "join\n"),
        ("JOIN_PIPELINE_CONNECTION", "a" * 64),
        ("JOIN_PIPELINE_INTEGRATION_ID", "x" * 201),
        ("JOIN_PIPELINE_PUBLISH_PEOPLE", "perhaps"),
        ("JOIN_PIPELINE_K", "1"),
        ("JOIN_PIPELINE_K", "5.5"),
        ("JOIN_PIPELINE_K", "1001"),
        ("JOIN_PIPELINE_K", "five"),
        ("JOIN_PIPELINE_MINIMUM_N", "1"),
        ("JOIN_PIPELINE_MINIMUM_N", "10001"),
        ("JOIN_PIPELINE_MINIMUM_N", "10.5"),
        ("JOIN_PIPELINE_STUCK_CHANCE", "0"),
        ("JOIN_PIPELINE_STUCK_CHANCE", "90.1"),
        ("JOIN_PIPELINE_STUCK_CHANCE", "100"),
        ("JOIN_PIPELINE_STUCK_CHANCE", "nan"),
        ("JOIN_PIPELINE_STUCK_DAYS", "0"),
        ("JOIN_PIPELINE_STUCK_DAYS", "3651"),
        ("JOIN_PIPELINE_STUCK_DAYS", "nan"),
        ("JOIN_PIPELINE_STUCK_VISITS", "0"),
        ("JOIN_PIPELINE_STUCK_VISITS", "10001"),
        ("JOIN_PIPELINE_STAGE_MILESTONE_CSV", " "),
        ("JOIN_PIPELINE_PSEUDONYM_KEY", SECRET),
        ("JOIN_PIPELINE_TIME_ZONE", "Berlin"),
        ("JOIN_PIPELINE_TIME_ZONE", "UTC+1"),
        ("JOIN_PIPELINE_TIME_ZONE", "../../etc/passwd"),
        ("JOIN_PIPELINE_TIME_ZONE", "Europe/Berlin', now()) --"),
        ("JOIN_PIPELINE_PAGES_IN_FLIGHT", "0"),
        ("JOIN_PIPELINE_PAGES_IN_FLIGHT", "33"),
        ("JOIN_PIPELINE_PAGES_IN_FLIGHT", "1.5"),
        ("JOIN_PIPELINE_PAGES_IN_FLIGHT", "many"),
        ("JOIN_PIPELINE_TIMEOUT_SECONDS", "0"),
        ("JOIN_PIPELINE_TIMEOUT_SECONDS", "nan"),
        ("JOIN_PIPELINE_TIMEOUT_SECONDS", "601"),
        ("JOIN_PIPELINE_MAX_WAIT_SECONDS", "0"),
        ("JOIN_PIPELINE_MAX_WAIT_SECONDS", "inf"),
        ("JOIN_PIPELINE_MAX_WAIT_SECONDS", "nan"),
        ("JOIN_PIPELINE_MAX_SECOND_LOOKS", "-1"),
        ("JOIN_PIPELINE_RESUME_HOURS", "25"),
        ("JOIN_PIPELINE_RESUME_HOURS", "nan"),
        ("JOIN_PIPELINE_RAW_DAYS", "-1"),
        ("JOIN_PIPELINE_MEMORY_LIMIT", "2"),
        ("JOIN_PIPELINE_MEMORY_LIMIT", "0GB"),
        ("JOIN_PIPELINE_MEMORY_LIMIT", "2GB'; DROP"),
    ],
)
def test_a_bad_value_is_named_by_its_variable(monkeypatch, name, text):
    message = refusal(monkeypatch, **{name: text})
    assert message.startswith(f"{name}: ")
    assert SECRET not in message


BAD = ("x" * 300, "-1", "1e999", "nan", "é(", SECRET.upper(), "2.5.1", "[^$]*")
PATTERN = re.compile(r"[\^$*+?{}|\\]|\[\w-]|input|pars|pattern|regex|valid ", re.IGNORECASE)


@pytest.mark.parametrize("field", sorted(declared()))
def test_what_is_wrong_with_a_value_is_told_in_words_for_people(monkeypatch, field):
    name, told = env_name(field), []
    for text in BAD:
        monkeypatch.setenv(name, text)
        with contextlib.suppress(SettingsError):
            load_settings()
            continue
        told.append(refusal(monkeypatch, **{name: text}))
        assert text not in told[-1] or text == "-1", told
    for message in told:
        said = message.removeprefix(f"{name}: ")
        assert said != message
        assert not PATTERN.search(said), said
    takes_any_text = {"join_api_token", "kombo_api_key", "kombo_integration_id", "kombo_webhook_secret", "data"}
    takes_any_text |= {field for field in declared() if field.endswith("_csv")} | {
        "post_url_template",
        "connections_toml",
        "lake_key_file",
        "mail_user",
        "mail_password",
    }
    assert told or field in takes_any_text


def test_a_key_that_is_too_short_is_told_its_length_and_not_shown(monkeypatch):
    message = refusal(monkeypatch, JOIN_PIPELINE_PSEUDONYM_KEY=SECRET)
    assert message == "JOIN_PIPELINE_PSEUDONYM_KEY: needs at least 16 characters"


def test_every_bad_value_is_named_at_once(monkeypatch):
    message = refusal(monkeypatch, JOIN_API_URL="nowhere", JOIN_PIPELINE_RAW_DAYS="x", JOIN_PIPELINE_CONNECTION="A")
    assert [part.split(":")[0] for part in message.split("; ")] == [
        "JOIN_API_URL",
        "JOIN_PIPELINE_CONNECTION",
        "JOIN_PIPELINE_RAW_DAYS",
    ]


def test_an_unknown_source_is_told_which_there_are(monkeypatch):
    assert refusal(monkeypatch, JOIN_PIPELINE_SOURCE="Kombo").endswith("the sources are join, kombo")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40))
def test_no_url_that_can_be_typed_is_anything_but_taken_or_refused_by_name(text):
    try:
        load_settings(join_api_url=text)
        load_settings(join_api_url="https://" + text)
    except SettingsError as error:
        assert str(error).startswith("JOIN_API_URL: ")  # noqa: PT017  most texts are refused, some are taken


@pytest.mark.parametrize(("name", "text"), [("JOIN_PIPELINE_K", "11"), ("JOIN_PIPELINE_MINIMUM_N", "4")])
def test_no_rate_may_stand_on_fewer_people_than_a_group_may_have(monkeypatch, name, text):
    assert refusal(monkeypatch, **{name: text}).startswith("JOIN_PIPELINE_MINIMUM_N (")


def test_only_created_is_no_switch_of_kombos_source(monkeypatch):
    message = refusal(monkeypatch, JOIN_PIPELINE_SOURCE="kombo", JOIN_PIPELINE_ONLY_CREATED="true")
    assert "the integration has its own switch" in message


@pytest.mark.parametrize("field", sorted(declared()))
def test_an_empty_variable_means_that_it_is_not_set(monkeypatch, field):
    monkeypatch.setenv(env_name(field), "")
    assert values(load_settings())[field] == declared()[field].get_default()


@pytest.mark.parametrize(
    "text",
    ["localtime", "posixrules", "Factory", "../x", "/etc/localtime", "europe/berlin", " Europe/Berlin", "posix/UTC"],
)
def test_a_time_zone_that_differs_from_machine_to_machine_is_refused(monkeypatch, text):
    assert refusal(monkeypatch, JOIN_PIPELINE_TIME_ZONE=text).startswith("JOIN_PIPELINE_TIME_ZONE: ")


@pytest.mark.parametrize("field", ["data", "stage_milestone_csv", "source_channel_csv", "written_source_csv"])
def test_a_home_folder_is_expanded(monkeypatch, tmp_path, field):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(env_name(field), "~/some")
    assert values(load_settings())[field] == tmp_path / "some"
    monkeypatch.setenv(env_name(field), "~root/some")
    assert values(load_settings())[field] == Path("~root/some").expanduser()
    assert "user who is not known" in refusal(monkeypatch, **{env_name(field): "~nobody-of-that-name/some"})


@pytest.mark.parametrize("text", ["/srv/a?b", "/srv/a\\b", "/srv/a\nb", "/srv/\x1b[31m", "/srv/\udcff"])
def test_a_folder_that_duckdb_would_take_for_another_is_refused(monkeypatch, text):
    message = refusal(monkeypatch, JOIN_PIPELINE_DATA=text)
    assert message.startswith("JOIN_PIPELINE_DATA: the path ")
    assert message.isprintable()


@given(st.text(max_size=40).filter(lambda text: "\0" not in text), st.sampled_from(sorted(declared())))
def test_no_text_of_a_variable_is_anything_but_taken_or_refused_by_name(text, field):
    with pytest.MonkeyPatch.context() as patched:
        try:
            patched.setenv(env_name(field), text)
        except UnicodeEncodeError:  # no variable can hold it
            return
        try:
            load_settings()
        except SettingsError as error:
            assert re.match(rf"{env_name(field)}|JOIN_PIPELINE_MINIMUM_N \(", str(error))  # noqa: PT017


def test_what_would_reach_a_library_is_dropped_and_comes_back(monkeypatch):
    for name in ("DBT_EMPTY", "DBT_ENGINE_TARGET", "DUCKDB_X", "ARROW_X", "SSLKEYLOGFILE", "OTHER"):
        monkeypatch.setenv(name, "x")
    with without_foreign():
        assert [
            name for name in ("DBT_EMPTY", "DUCKDB_X", "ARROW_X", "SSLKEYLOGFILE", "OTHER") if name in os.environ
        ] == ["OTHER"]
    assert os.environ["DBT_ENGINE_TARGET"] == "x"
    assert "DBT_EMPTY" not in process_environment(load_settings())
    drop_foreign()
    assert "DBT_EMPTY" not in os.environ


def test_a_config_folder_is_a_whole_path_or_the_users_own(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    for text in ("", "relative", "~/x"):
        monkeypatch.setenv("XDG_CONFIG_HOME", text)
        assert config_folder().is_relative_to(tmp_path)
