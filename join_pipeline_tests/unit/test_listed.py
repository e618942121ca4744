"""connections.toml: what an entry gives, what is told of a wrong one, and that an edit keeps what is not meant."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from join_pipeline.connections.edited import add, remove
from join_pipeline.connections.listed import parse
from join_pipeline.connections.turns import is_due, is_schedule
from join_pipeline.errors import InputError, SettingsError
from join_pipeline.settings import choosing, kinds, listed_connections, load_settings
from join_pipeline.sources.join.options import JoinOptions

pytestmark = pytest.mark.usefixtures("no_settings_in_environment")

SECRET = "s3cret-4f7Zq-and-more"
TWO = """\
# two companies
[acme]
time_zone = "Europe/Zurich"
k = 7
cost_csv = "costs/acme.csv"

[acme.secrets]
join_api_token = {environment = "ACME_TOKEN"}
pseudonym_key = {file = "acme.key"}

# the second
[globex]
source = "kombo"
schedule = "nightly"
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "connections.toml"
    path.write_text(TWO)
    (tmp_path / "acme.key").write_text(f"{SECRET}\n")
    (tmp_path / "acme.key").chmod(0o600)
    monkeypatch.setenv("JOIN_PIPELINE_CONNECTIONS_TOML", str(path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return path


def faults(text: str) -> list[str]:
    """What is wrong with the entries of a text, without the file's name."""
    return [
        fault.removeprefix("x.toml, ")
        for entry in parse(Path("x.toml"), text, kinds()).values()
        for fault in entry.faults
    ]


def test_an_entry_gives_its_settings_and_its_secrets(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_TOKEN", SECRET)
    acme = load_settings(connection="acme")
    assert (acme.k, acme.time_zone, acme.source) == (7, "Europe/Zurich", "join")
    assert acme.cost_csv == file.parent / "costs" / "acme.csv"
    assert acme.of(JoinOptions).token(acme.token_file) == SECRET
    assert acme.pseudonym_key is not None
    assert acme.pseudonym_key.get_secret_value() == SECRET
    assert listed_connections()["globex"].schedule == "nightly"
    assert load_settings(connection="acme", k=9).k == 9


def test_no_secret_of_the_environments_own_connection_reaches_another(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("JOIN_API_TOKEN", "KOMBO_API_KEY", "KOMBO_INTEGRATION_ID", "JOIN_PIPELINE_PSEUDONYM_KEY"):
        monkeypatch.setenv(name, SECRET)
    monkeypatch.setenv("JOIN_PIPELINE_INTEGRATION_ID", "join:mine")
    own, globex = load_settings(source="kombo"), load_settings(connection="globex")
    assert (own.lake_seed, own.integration_id) == (SECRET, "join:mine")
    assert globex.lake_seed is None
    assert globex.of(JoinOptions).join_api_token is globex.pseudonym_key is globex.integration_id is None
    assert own.pseudonym_key_file.name == "pseudonym.key"
    assert globex.pseudonym_key_file == file.parent / "config" / "join-pipeline" / "keys" / "globex.key"
    assert own.home != globex.home


def test_the_choice_and_the_environment_name_an_entry_and_only_the_choice_must_be_there(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not load_settings().is_listed
    with choosing("globex"):
        assert load_settings().is_listed
    with choosing("initech"), pytest.raises(SettingsError, match=r"initech is not in .* It has acme, globex"):
        load_settings()
    monkeypatch.setenv("JOIN_PIPELINE_CONNECTION", "globex")
    assert load_settings().source == "kombo"
    monkeypatch.setenv("JOIN_PIPELINE_CONNECTION", "initech")
    assert not load_settings().is_listed


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = 1\n", "line 1: x: stands outside of a table"),
        ('[acme]\n\nk = 7\ntime_zne = "UTC"\n', "line 4: acme.time_zne: is no setting"),
        (f'[acme]\njoin_api_token = "{SECRET}"\n', "line 2: acme.join_api_token: no secret stands here"),
        (f'[acme.secrets]\njoin_api_token = "{SECRET}"\n', "line 2: acme.secrets.join_api_token: needs {environment"),
        ('[acme.secrets]\npseudonym_key = {vault = "x"}\n', "line 2: acme.secrets.pseudonym_key: needs {environment"),
        ('[acme.secrets]\nk = {file = "x"}\n', "line 2: acme.secrets.k: is no secret"),
        ('[acme]\nsecrets = "x"\n', "line 2: acme.secrets: needs a table"),
        ('[acme]\nschedule = "* * * *"\n', "line 2: acme.schedule: is one of hourly"),
        ('[acme]\ndata = "elsewhere"\n', "line 2: acme.data: is the same for all"),
        ("[acme]\nk = [7]\n", "line 2: acme.k: needs a text, a number"),
        ("\n[Acme]\n", "line 2: Acme: the name needs 1 to 63"),
        ("[sandbox]\n", "line 1: sandbox: is the demo's name"),
    ],
)
def test_what_is_wrong_is_told_by_line_and_field_and_never_shows_a_value(text: str, told: str) -> None:
    (fault,) = faults(text)
    assert fault.startswith(told)
    assert SECRET not in fault


def test_a_wrong_entry_or_value_stops_its_own_connection_only(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(TWO.replace("k = 7", "k = 1"))
    monkeypatch.setenv("ACME_TOKEN", SECRET)
    with pytest.raises(SettingsError, match=r"connections.toml, line 4: acme.k: needs a number of at least 2"):
        load_settings(connection="acme")
    assert load_settings(connection="globex").source == "kombo"
    file.write_text(TWO.replace("k = 7", "kk = 7"))
    monkeypatch.delenv("ACME_TOKEN")
    (file.parent / "acme.key").chmod(0o644)
    with pytest.raises(SettingsError) as caught:
        load_settings(connection="acme")
    for words in ("line 4: acme.kk", "line 8: acme.secrets.join_api_token: ACME_TOKEN is not set", "chmod 600"):
        assert words in str(caught.value)


def test_a_file_that_is_no_toml_is_told_by_line(file: Path) -> None:
    file.write_text(f'[acme]\nk = 7\njoin_api_token = "{SECRET}\n')
    with pytest.raises(SettingsError, match="line 3: this is not TOML") as caught:
        load_settings(connection="acme")
    assert SECRET not in str(caught.value)
    assert not load_settings().is_listed, "the environment's own connection needs no file"


def test_adding_and_removing_leaves_the_rest_as_it_is(file: Path) -> None:
    add(file, kinds(), "initech", {"k": 7, "time_zone": "UTC"}, {"join_api_token": ("file", "/x y/token")})
    assert file.read_text().startswith(TWO)
    entry = listed_connections()["initech"]
    assert (entry.settings, entry.secrets) == ({"k": 7, "time_zone": "UTC"}, {"join_api_token": ("file", "/x y/token")})
    for name in ("acme", "initech"):
        remove(file, kinds(), name)
    assert list(listed_connections()) == ["globex"]
    assert "# two companies" in file.read_text()
    with pytest.raises(InputError, match=r"is in .* already"):
        add(file, kinds(), "globex", {}, {})
    with pytest.raises(InputError, match="is not in"):
        remove(file, kinds(), "acme")
    before = file.read_text()
    with pytest.raises(InputError, match="no setting"):
        add(file, kinds(), "other", {"kk": 1}, {})
    assert file.read_text() == before
    assert file.stat().st_mode & 0o077 == 0


def test_a_setting_may_be_written_as_its_variable_is() -> None:
    for word in ("lake", "lake_url"):
        entry = parse(Path("x.toml"), f'[acme]\n\n{word} = "s3://lake/a"\n', kinds())["acme"]
        assert (entry.settings, entry.faults) == ({"lake_url": "s3://lake/a"}, ())
        assert str(entry.place("lake_url")).endswith("line 3: acme.lake_url")


def test_turns_come_once_an_hour_and_once_a_night_and_are_spread() -> None:
    begin, names = datetime(2026, 6, 1, tzinfo=UTC), [f"company-{n}" for n in range(300)]
    ticks = [begin + timedelta(minutes=5 * n) for n in range(24 * 12)]
    zone = "Europe/Berlin"
    for name in names[:30]:
        assert sum(is_due("hourly", name, at, zone, full=False) for at in ticks) == 24
        (night,) = [at for at in ticks if is_due("nightly", name, at, zone, full=True)]
        assert (1, 30) <= (night.hour, night.minute) < (3, 0), "from 03:30 to 05:00 in Berlin"
        assert not any(is_due("nightly", name, at, zone, full=False) for at in ticks)
        assert not any(is_due("off", name, at, zone, full=full) for at in ticks for full in (False, True))
    at_once = [sum(is_due("hourly", name, at, zone, full=False) for name in names) for at in ticks[:12]]
    assert sum(at_once) == len(names)
    assert max(at_once) < 2 * len(names) / 12


def test_who_is_told_is_the_environments_own_but_its_password_goes_to_no_other_server(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "NOTICE_WEBHOOK": "https://hooks.example/all",
        "MAIL_HOST": "smtp.example",
        "MAIL_USER": "user",
        "MAIL_PASSWORD": SECRET,
        "MAIL_FROM": "a@mail.example",
        "MAIL_TO": "b@mail.example",
    }.items():
        monkeypatch.setenv(f"JOIN_PIPELINE_{name}", value)
    monkeypatch.setenv("JOIN_API_TOKEN", SECRET)
    file.write_text('[acme]\n[globex]\nmail_to = "c@mail.example"\n[other]\nmail_host = "smtp.other"\n')
    acme, globex = (load_settings(connection=name) for name in ("acme", "globex"))
    for one, receiver in ((acme, "b@mail.example"), (globex, "c@mail.example")):
        assert one.notice_webhook is not None
        assert one.mail is not None
        assert one.mail.receivers == (receiver,)
        assert one.mail.login == ("user", SecretStr(SECRET))
        assert one.of(JoinOptions).join_api_token is None, "no other secret reaches a company of the file"
    with pytest.raises(SettingsError, match="MAIL_USER: needs JOIN_PIPELINE_MAIL_PASSWORD"):
        load_settings(connection="other")


@pytest.mark.parametrize(
    ("schedule", "zone", "expected"),
    [
        ("30 6 * * *", "Europe/Berlin", ["01 04:30", "02 04:30", "03 04:30"]),
        ("7 6,18 * * *", "UTC", [f"{day:02} {hour:02}:10" for day in (1, 2, 3) for hour in (6, 18)]),
        ("0 */12 * * *", "UTC", [f"{day:02} {hour:02}:00" for day in (1, 2, 3) for hour in (0, 12)]),
        ("0 9-17/8 * * mon,WED", "UTC", ["01 09:00", "01 17:00", "03 09:00", "03 17:00"]),
        ("0 0 2 jun *", "UTC", ["02 00:00"]),
        ("0 0 2 * 3", "UTC", ["02 00:00", "03 00:00"]),
        ("0 0 * * 7", "UTC", []),
        ("0 0 ? * tue-thu", "UTC", ["02 00:00", "03 00:00"]),
        ("@daily", "UTC", ["01 00:00", "02 00:00", "03 00:00"]),
        ("58 23 31 5 *", "UTC", ["01 00:00"]),
    ],
)
def test_a_cron_expression_gives_the_turns_of_its_zone_and_no_others(
    schedule: str, zone: str, expected: list[str]
) -> None:
    begin = datetime(2026, 6, 1, tzinfo=UTC)  # a Monday
    ticks = [begin + timedelta(minutes=5 * n) for n in range(3 * 24 * 12)]
    due = [f"{at:%d %H:%M}" for at in ticks if is_due(schedule, "acme", at, zone, full=False)]
    assert due == expected
    assert is_schedule(schedule)
    assert not any(is_due(schedule, "acme", at, zone, full=True) for at in ticks)


@pytest.mark.parametrize(("month", "day", "at"), [(3, 29, "01:00"), (10, 25, "00:30")], ids=["skipped", "repeated"])
def test_a_turn_in_an_hour_that_summer_time_skips_or_repeats_comes_once(month: int, day: int, at: str) -> None:
    begin = datetime(2026, month, day, tzinfo=UTC)
    ticks = [begin + timedelta(minutes=5 * n) for n in range(12 * 12)]
    due = [f"{tick:%H:%M}" for tick in ticks if is_due("30 2 * * *", "acme", tick, "Europe/Berlin", full=False)]
    assert due == [at]


@pytest.mark.parametrize(
    "odd", ["", "daily", "* * * *", "0 0 0 * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8",
            "5-1 * * * *", "*/0 * * * *", "1,,2 * * * *", "1- * * * *", "* * * foo *", "-1 * * * *", "² * * * *",
            5, None, True],
)  # fmt: skip
def test_what_is_no_schedule(odd: object) -> None:
    assert not is_schedule(odd)
