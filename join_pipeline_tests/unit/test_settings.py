"""Settings: which there are, what a program passes, where things lie, and that a secret is never shown.

Belongs here: settings as a whole. Not here: which values one may have (test_settings_values).
"""

import os
from pathlib import Path

import pytest

from join_pipeline.errors import SettingsError
from join_pipeline.settings import (
    Settings,
    declared,
    env_name,
    load_settings,
    process_environment,
    values,
)
from join_pipeline.sources.join.options import JoinOptions
from join_pipeline.sources.kombo.options import KomboOptions

pytestmark = pytest.mark.usefixtures("no_settings_in_environment")

# Names that other programs and people rely on, with their defaults.
NAMES = {
    "JOIN_API_TOKEN": None,
    "JOIN_API_URL": "https://api.join.com/v2",
    "JOIN_PIPELINE_SOURCE": "join",
    "KOMBO_API_KEY": None,
    "KOMBO_INTEGRATION_ID": None,
    "KOMBO_API_URL": "https://api.kombo.dev/v1",
    "KOMBO_WEBHOOK_SECRET": None,
    "JOIN_PIPELINE_KOMBO_STALENESS_HOURS": 10.0,
    "JOIN_PIPELINE_PRIVACY": "full",
    "JOIN_PIPELINE_KEEP_OUT": None,
    "JOIN_PIPELINE_PUBLISHED_TAGS_CSV": None,
    "JOIN_PIPELINE_PUBLISH_PARQUET": False,
    "JOIN_PIPELINE_PUBLISH_DAYS": False,
    "JOIN_PIPELINE_WORKS_COUNCIL": False,
    "JOIN_PIPELINE_RETENTION_APPLY": False,
    "JOIN_PIPELINE_DATA": Path("data"),
    "JOIN_PIPELINE_CONNECTION": "join",
    "JOIN_PIPELINE_CONNECTIONS_TOML": None,
    "JOIN_PIPELINE_INTEGRATION_ID": None,
    "JOIN_PIPELINE_PSEUDONYM_KEY": None,
    "JOIN_PIPELINE_TIME_ZONE": "Europe/Berlin",
    "JOIN_PIPELINE_PAGES_IN_FLIGHT": 8,
    "JOIN_PIPELINE_TIMEOUT_SECONDS": 30.0,
    "JOIN_PIPELINE_MAX_WAIT_SECONDS": 900.0,
    "JOIN_PIPELINE_MAX_SECOND_LOOKS": 1000,
    "JOIN_PIPELINE_RESUME_HOURS": 2.0,
    "JOIN_PIPELINE_RAW_DAYS": 14,
    "JOIN_PIPELINE_TOKEN_HOSTS": None,
    "JOIN_PIPELINE_POST_URL_TEMPLATE": None,
    "JOIN_PIPELINE_REPORT_LANGUAGE": None,
    "JOIN_PIPELINE_MEMORY_LIMIT": "2GB",
    "JOIN_PIPELINE_PUBLISH_PEOPLE": False,
    "JOIN_PIPELINE_PER_PERSON": False,
    "JOIN_PIPELINE_K": 5,
    "JOIN_PIPELINE_MINIMUM_N": 10,
    "JOIN_PIPELINE_STUCK_CHANCE": 10.0,
    "JOIN_PIPELINE_RETENTION_DAYS": None,
    "JOIN_PIPELINE_STALE_AFTER_DAYS": 14.0,
    "JOIN_PIPELINE_STUCK_DAYS": 90.0,
    "JOIN_PIPELINE_STUCK_VISITS": 10,
    "JOIN_PIPELINE_STAGE_MILESTONE_CSV": None,
    "JOIN_PIPELINE_SOURCE_CHANNEL_CSV": None,
    "JOIN_PIPELINE_RETENTION_POLICY_CSV": None,
    "JOIN_PIPELINE_HIRING_PLAN_CSV": None,
    "JOIN_PIPELINE_SERVICE_LEVEL_CSV": None,
    "JOIN_PIPELINE_COST_CSV": None,
    "JOIN_PIPELINE_ONLY_CREATED": False,
    "JOIN_PIPELINE_TEAM": "recruiting",
    "JOIN_PIPELINE_PLATFORM": None,
    "JOIN_PIPELINE_QUEUE": None,
    "JOIN_PIPELINE_WRITTEN_SOURCE_CSV": None,
    "JOIN_PIPELINE_PRIVATE_DATA_URLS": False,
    "JOIN_PIPELINE_NOTICE_WEBHOOK": None,
    "JOIN_PIPELINE_NOTICE_SHAPE": "text",
    "JOIN_PIPELINE_NOTICE_STALE_HOURS": 26.0,
    "JOIN_PIPELINE_MAIL_HOST": None,
    "JOIN_PIPELINE_MAIL_PORT": None,
    "JOIN_PIPELINE_MAIL_SECURITY": "starttls",
    "JOIN_PIPELINE_MAIL_USER": None,
    "JOIN_PIPELINE_MAIL_PASSWORD": None,
    "JOIN_PIPELINE_MAIL_FROM": None,
    "JOIN_PIPELINE_MAIL_TO": None,
    "JOIN_PIPELINE_LAKE": None,
    "JOIN_PIPELINE_LAKE_KEY": None,
    "JOIN_PIPELINE_LAKE_KEY_FILE": None,
}
SECRET = "s3cret-4f7Zq"


def token_of(settings: Settings) -> str:
    return settings.of(JoinOptions).token(settings.token_file)


def test_the_names_and_defaults_are_those_that_are_promised():
    settings = load_settings()
    assert {env_name(field): value for field, value in values(settings).items()} == NAMES


def test_every_setting_has_a_line_that_says_what_it_is():
    for field, info in declared().items():
        assert info.description, field
        assert "\n" not in info.description, field
        assert len(info.description) <= 100, field


def test_what_a_program_passes_wins_and_is_checked_under_the_same_name(monkeypatch):
    monkeypatch.setenv("JOIN_PIPELINE_CONNECTION", "one")
    monkeypatch.setenv("JOIN_API_URL", "https://one.example/v2")
    settings = load_settings(connection="two", join_api_url="https://two.example/v2")
    assert (settings.connection, settings.of(JoinOptions).join_api_url) == ("two", "https://two.example/v2")
    with pytest.raises(SettingsError, match="JOIN_PIPELINE_CONNECTION"):
        load_settings(connection="Two")
    with pytest.raises(SettingsError, match="JOIN_API_URL"):
        load_settings(join_api_url="two")


def test_a_variable_that_is_none_of_ours_is_no_error(monkeypatch):
    known = load_settings()
    monkeypatch.setenv("JOIN_PIPELINE_UNKNOWN", "x")
    assert load_settings() == known


# Secrets


@pytest.mark.parametrize("token", ["", "   ", "\n"])
def test_a_missing_token_says_where_to_make_one(monkeypatch, token):
    for settings in (load_settings(), load_settings(join_api_token=token)):
        with pytest.raises(SettingsError, match=r"JOIN_API_TOKEN is not set\. .*User Settings > API Credentials"):
            token_of(settings)


def test_a_token_is_taken_raw_and_without_the_blanks_around_it(monkeypatch):
    monkeypatch.setenv("JOIN_API_TOKEN", f"  {SECRET}\n")
    assert token_of(load_settings()) == SECRET


@pytest.mark.parametrize("text", [f"Bearer {SECRET}", f"{SECRET}\nX-Other: 1", f"{SECRET}…", f"{SECRET}\x00", "tökén"])
def test_a_token_that_can_be_none_is_refused_without_being_shown(text):
    with pytest.raises(SettingsError, match=r"JOIN_API_TOKEN has blanks or characters") as caught:
        token_of(load_settings(join_api_token=text))
    assert SECRET not in str(caught.value)


def test_no_secret_is_shown_by_the_settings_themselves(monkeypatch):
    monkeypatch.setenv("JOIN_API_TOKEN", SECRET)
    monkeypatch.setenv("JOIN_PIPELINE_PSEUDONYM_KEY", SECRET * 2)
    settings = load_settings()
    for one in (settings, settings.of(JoinOptions)):
        for shown in (repr(one), str(one), str(one.model_dump()), one.model_dump_json()):
            assert SECRET not in shown


# Places


def test_everything_of_a_connection_lies_below_its_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = load_settings(data=Path("some/data"), connection="acme")
    home = tmp_path / "some" / "data" / "acme"
    assert settings.home == home
    assert settings.lake == home / "lake"
    assert settings.warehouse == home / "warehouse.duckdb"
    assert settings.published == home / "published" / "recruiting.duckdb"
    assert settings.builds == home / "builds"
    assert not (tmp_path / "some").exists()  # reading settings makes nothing


def test_the_pseudonym_key_does_not_lie_in_the_data_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    path = load_settings().pseudonym_key_file
    assert path.name == "pseudonym.key"
    assert tmp_path in path.parents
    assert load_settings().home not in path.parents


def test_another_process_gets_the_same_settings(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JOIN_PIPELINE_INTEGRATION_ID", "join:from-outside")
    monkeypatch.setenv("OTHER", "stays")
    settings = load_settings(join_api_token=SECRET, data=Path("here"), integration_id=None, time_zone="Europe/Zurich")
    environment = process_environment(settings)
    assert environment["OTHER"] == "stays"
    for name in [name for name in os.environ if name.startswith("JOIN_")]:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert load_settings() == settings.model_copy(update={"data": tmp_path / "here"})


def test_kombo_needs_its_key_and_the_integration_and_shows_neither():
    with pytest.raises(SettingsError, match="KOMBO_API_KEY and KOMBO_INTEGRATION_ID not set"):
        load_settings(source="kombo").of(KomboOptions).credentials()
    with pytest.raises(SettingsError, match=r"^KOMBO_INTEGRATION_ID not set"):
        load_settings(source="kombo", kombo_api_key=SECRET).of(KomboOptions).credentials()
    settings = load_settings(source="kombo", kombo_api_key=f" {SECRET}", kombo_integration_id="join:5qHb\n")
    assert settings.of(KomboOptions).credentials() == (SECRET, "join:5qHb")
    assert settings.lake_seed == "join:5qHb"
    assert SECRET not in repr(settings.of(KomboOptions))
    assert "5qHb" not in repr(settings.of(KomboOptions))
    broken = load_settings(source="kombo", kombo_api_key=f"{SECRET} x", kombo_integration_id="join:5qHb")
    with pytest.raises(SettingsError, match="KOMBO_API_KEY has blanks") as caught:
        broken.of(KomboOptions).credentials()
    assert SECRET not in str(caught.value)
