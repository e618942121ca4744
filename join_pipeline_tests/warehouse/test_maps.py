"""A user's own maps: what a file may hold, how a bad one is reported, and names that no map has."""

import csv
import re
from pathlib import Path

import duckdb
import pytest
import yaml

from join_pipeline.errors import SettingsError
from join_pipeline.settings import load_settings
from join_pipeline.transform.maps import MAPS, UserMap, checked, copy_maps, map_vars, unmapped
from join_pipeline.transform.run import build_marts, project_dir

STAGES, SOURCES, COUNTRIES = MAPS
HEADER = "stage_name,milestone\n"
WRITTEN = 'stage_name@milestone\nErstgespräch@interim\n"Probe, Tag"@OFFER\n'


@pytest.mark.parametrize(
    "content",
    [
        b'stage_name,milestone\nErstgespr\xc3\xa4ch,interim\n"Probe, Tag",OFFER\n',
        b"\xef\xbb\xbfstage_name;milestone\r\n  Erstgespr\xc3\xa4ch ;Interim\r\n\r\nProbe, Tag;offer\r\n",
        WRITTEN.replace("@", "\t").encode(),
        WRITTEN.replace("@", ";").encode("utf-16"),
        ("sep=;\r\n" + WRITTEN.replace("@", ";")).encode(),
        b'Stage_Name , Milestone\nERSTGESPR\xc3\x84CH,INTERIM\n"probe, tag",OFFER',
    ],
)
def test_commas_or_semicolons_marks_cases_and_blanks_do_not_matter(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "stages.csv").write_bytes(content)
    assert checked(STAGES, tmp_path / "stages.csv") == {"erstgespräch": "INTERIM", "probe, tag": "OFFER"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "line 1: the header has to be stage_name,milestone"),
        (b"stage,milestone\nA,OFFER\n", "line 1: the header has to be stage_name,milestone"),
        (b"milestone,stage_name\nOFFER,A\n", "line 1: the header has to be"),
        (
            b"stage_name,milestone\nA,OFFER\nB,LUNCH\n",
            "line 3, column milestone: 'LUNCH' is not one of SCREENING, INTERIM",
        ),
        (b"stage_name,milestone\nA,\n", "line 2, column milestone: '' is not one of"),
        (b"stage_name,milestone\n ,OFFER\n", "line 2, column stage_name: needs 1 to 500 characters"),
        (
            b"stage_name,milestone\nA,OFFER\nB,HIRED\n a ,OFFER\n",
            "line 4, column stage_name: the same name as in line 2",
        ),
        (b"stage_name,milestone\nA,OFFER,x\n", "line 2: 3 columns, not 2"),
        (b"stage_name,milestone\nA\n", "line 2: 1 columns, not 2"),
        (b"stage_name,milestone\nA,OFFER\n\xe4,OFFER\n", "line 3: not UTF-8. Save it as CSV UTF-8"),
        (b'stage_name,milestone\n"A,OFFER\n', "line 2: "),
        (None, "can't be read (FileNotFoundError: No such file or directory)"),
    ],
)
def test_a_bad_file_is_told_by_its_setting_line_and_column(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "my stages.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        checked(STAGES, path)
    assert str(caught.value).startswith(f"JOIN_PIPELINE_STAGE_MILESTONE_CSV: {path}")
    assert words in str(caught.value)


@pytest.mark.parametrize("one", MAPS, ids=lambda one: one.setting)
@pytest.mark.parametrize("is_header_wrong", [True, False], ids=["column", "value"])
def test_a_build_refuses_each_map_with_a_wrong_column_or_value_by_its_setting(
    tmp_path: Path, one: UserMap, is_header_wrong: bool
) -> None:
    name, word = one.columns
    header, value = (f"{name},meaning", one.words[0]) if is_header_wrong else (f"{name},{word}", "LUNCH")
    path = tmp_path / "mine.csv"
    path.write_text(f"{header}\nany,{value}\n")
    settings = load_settings(data=tmp_path / "data", **{one.setting: path})
    with pytest.raises(SettingsError) as caught:
        build_marts(settings)
    wanted = f"line 1: the header has to be {name},{word}" if is_header_wrong else f"line 2, column {word}: 'LUNCH' is"
    assert str(caught.value).startswith(f"JOIN_PIPELINE_{one.setting.upper()}: {path}, {wanted}")
    assert not settings.builds.exists()  # before anything is written


def test_dbt_reads_a_copy_in_one_form(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text('source;channel\n"say ""hi""";events\nA, B;ORGANIC\n')
    settings = load_settings(data=tmp_path / "data", source_channel_csv=tmp_path / "mine.csv")
    copy_maps(settings)
    read = map_vars(settings)
    assert read["stage_milestone_csv"] is None
    assert duckdb.sql(
        f"FROM read_csv('{read['source_channel_csv']}', header = true, all_varchar = true)"
    ).fetchall() == [
        ('say "hi"', "EVENTS"),
        ("a, b", "ORGANIC"),
    ]


def test_the_words_are_those_of_the_project() -> None:
    seeds = project_dir() / "seeds"
    with (seeds / "source_channel.csv").open() as file:
        assert {row["channel"] for row in csv.DictReader(file)} <= set(SOURCES.words)
    with (seeds / "retention_policy.csv").open() as file:
        assert {row["months"] for row in csv.DictReader(file)} <= set(COUNTRIES.words)
    (milestones,) = project_dir().glob("models/**/int_milestone.sql")
    assert tuple(yaml.safe_load(re.findall(r"\[(.*)\]", milestones.read_text())[0].join("[]"))) == STAGES.words


def test_what_no_map_names_is_told_by_its_name(tmp_path: Path) -> None:
    with duckdb.connect(tmp_path / "x.duckdb") as con:
        con.execute(
            "CREATE TABLE dim_stage AS SELECT 'Stage ' || range AS stage_name, range > 22 AS is_mapped FROM range(30)"
        )
    told = unmapped(tmp_path / "x.duckdb", "main")
    assert list(told) == ["stages_are_mapped"]
    assert "the stage name “Stage 0”, “Stage 1”" in told["stages_are_mapped"]
    assert "and 3 more: counted as INTERIM" in told["stages_are_mapped"]
    assert "set JOIN_PIPELINE_STAGE_MILESTONE_CSV" in told["stages_are_mapped"]


def test_a_name_of_the_source_steers_no_terminal_and_fills_no_screen(tmp_path: Path) -> None:
    with duckdb.connect(tmp_path / "x.duckdb") as con:
        con.execute(
            "CREATE TABLE dim_source AS SELECT ? || repeat('x', 9999) AS source, false AS is_mapped", ["a\x1b\n"]
        )
    (told,) = unmapped(tmp_path / "x.duckdb", "main").values()
    assert "“a\ufffd\ufffdxxx" in told
    assert len(told) < 300
