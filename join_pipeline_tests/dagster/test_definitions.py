"""The definitions: the exact assets, checks, jobs, schedules and sensors, and their descriptions."""

from pathlib import Path
from unittest import mock

import dagster as dg

from join_pipeline.defs import build_definitions
from join_pipeline.settings import Settings
from join_pipeline.transform.run import project_dir, read_manifest

FEEDS = ("applications", "jobs", "categories", "employment_types", "seniority_levels")
MODELS = (
    "users",
    "jobs",
    "candidates",
    "application_stages",
    "applications",
    "screening_questions",
    "tags",
    "candidate_tags",
    "job_application_stages",
    "job_screening_questions",
    "job_hiring_team",
)
BESIDE = ("as_of", "syncs", "sync_counts", "pseudonyms", "application_states", "unread_applications")
WORDED = ("applications", "jobs", "screening_questions", "job_hiring_team")
REFERRING = (
    "jobs",
    "applications",
    "candidate_tags",
    "job_application_stages",
    "job_screening_questions",
    "job_hiring_team",
)


def dbt_files() -> set[str]:
    """The dbt project's models and seeds, by their files: `staging/…`, `intermediate/…`, `recruiting/…`, `people/…`."""
    folders = {f"models/{name}": name for name in ("staging", "intermediate", "people")}
    folders |= {"models/marts": "recruiting", "models/answers": "recruiting"}
    models = {
        f"{schema}/{file.stem}"
        for path, schema in folders.items()
        for file in files(path, "*.*")
        if file.suffix != ".yml"
    }
    return models | {f"recruiting/{file.stem}" for file in files("seeds", "*.csv")}


def files(folder: str, pattern: str) -> list[Path]:
    return list((project_dir() / folder).rglob(pattern))


def test_the_assets_are_these_and_no_others(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    keys = {key.to_user_string() for key in graph.get_all_asset_keys()}
    assert keys == {
        *(f"raw/{feed}" for feed in FEEDS),
        *(f"models/{model}" for model in MODELS),
        *(f"ats/{table}" for table in (*MODELS, *BESIDE)),
        *dbt_files(),
        "published/recruiting",
        "published/report",
    }
    assert graph.materializable_asset_keys == graph.get_all_asset_keys(), "each is made here: none is a stub"


def test_without_the_extra_there_is_no_report(settings: Settings) -> None:
    with mock.patch("join_pipeline.defs.marts.can_draw", return_value=False):
        graph = build_definitions(settings).resolve_asset_graph()
    published = {key.to_user_string() for key in graph.get_all_asset_keys() if key.path[0] == "published"}
    assert published == {"published/recruiting"}


def test_the_checks_are_these_and_all_data_tests_of_dbt(definitions: dg.Definitions, settings: Settings) -> None:
    checks = {(key.asset_key.to_user_string(), key.name) for key in definitions.resolve_asset_graph().asset_check_keys}
    ours = {
        *((f"raw/{feed}", "contract") for feed in FEEDS),
        ("raw/applications", "guard"),
        ("raw/jobs", "guard"),
        ("raw/applications", "shapes"),
        ("raw/jobs", "shapes"),
        ("raw/applications", "announced"),
        ("raw/applications", "clock"),
        *((f"models/{model}", "schema") for model in MODELS),
        *((f"models/{model}", "volume") for model in MODELS),
        *((f"models/{model}", "known_words") for model in WORDED),
        *((f"ats/{model}", "references") for model in REFERRING),
    }
    assert ours <= checks
    nodes = read_manifest(settings)["nodes"].values()
    assert sorted(name for _, name in checks - ours) == sorted(
        node["name"] for node in nodes if node["resource_type"] == "test"
    )


def test_a_test_of_several_models_is_a_check_of_the_last_and_a_test_of_a_source_of_its_reader(
    definitions: dg.Definitions,
) -> None:
    checks = {(key.asset_key.to_user_string(), key.name) for key in definitions.resolve_asset_graph().asset_check_keys}
    assert {(f"staging/stg_ats__{model}", f"source_unique_key_ats_{model}_id") for model in MODELS} <= checks
    assert ("recruiting/fct_funnel_cohort", "funnel_adds_up") in checks
    assert ("recruiting/fct_application", "every_application_is_a_row") in checks


def test_schema_key_and_contract_stop_and_references_and_volume_warn(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    stops = {key.name for key in graph.asset_check_keys if graph.get_check_spec(key).blocking}
    warns = {key.name for key in graph.asset_check_keys} - stops
    assert {"schema", "contract", "source_unique_key_ats_jobs_id", "unique_key_dim_job_job_id"} <= stops
    assert {"references", "volume", "known_words", "guard"} <= warns


def test_jobs_schedules_and_sensors_are_these_and_described(definitions: dg.Definitions, settings: Settings) -> None:
    repository = definitions.get_repository_def()
    jobs = {job.name: job for job in repository.get_all_jobs() if job.name != "__ASSET_JOB"}
    schedules = {schedule.name: schedule for schedule in repository.schedule_defs}
    sensors = {sensor.name: sensor for sensor in repository.sensor_defs}
    assert set(jobs) == {"sync", "sync_full", "rebuild", "create_application", "create_candidate", "fetch_attachments"}
    assert {name: schedule.job_name for name, schedule in schedules.items()} == {
        "hourly": "sync",
        "nightly": "sync_full",
    }
    made_by_dagster = sensors.pop("default_automation_condition_sensor")
    assert made_by_dagster.default_status is dg.DefaultSensorStatus.STOPPED
    assert set(sensors) == {"failed_run", "good_run", "lost_run", "stale", "webhook"}
    assert all(part.description for part in (*jobs.values(), *schedules.values(), *sensors.values()))
    assert all(schedule.default_status is dg.DefaultScheduleStatus.STOPPED for schedule in schedules.values())
    assert {schedule.execution_timezone for schedule in schedules.values()} == {settings.time_zone}
    assert all(job.executor_def is dg.in_process_executor for job in jobs.values())


def test_the_graph_is_one_chain_from_join_to_the_published_file(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    first = {key.to_user_string() for key in graph.get_all_asset_keys() if not graph.get(key).parent_keys}
    lists = {key for key in first if key.startswith(("intermediate/", "recruiting/"))}
    assert first - lists == {f"raw/{feed}" for feed in FEEDS}
    assert {f"recruiting/{file.stem}" for file in files("seeds", "*.csv")} <= lists
    last = dg.AssetKey(["published", "recruiting"])
    page = dg.AssetKey(["published", "report"])
    assert graph.get(page).parent_keys == {last}
    marts = {key for key in graph.get_all_asset_keys() if key.path[0] == "recruiting"}
    assert graph.get(last).parent_keys == marts
    unread = {key for key in graph.get_all_asset_keys() if not graph.get(key).child_keys} - {page}
    assert {key.path[0] for key in unread} <= {"staging", "ats", "people"}, "only staging may wait for its first reader"


SUBJECTS = {path.name for path in (project_dir() / "models/marts").iterdir()} | {"answers", "maps"}


def test_every_asset_says_what_it_is(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    groups = {
        "raw": "extract",
        "models": "models",
        "ats": "warehouse",
        "staging": "staging",
        "intermediate": "intermediate",
        "recruiting": "marts",
        "people": "people",
        "published": "published",
    }
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description, key
        assert node.kinds, key
        assert node.group_name == groups[key.path[0]], key
        assert key.path[0] != "recruiting" or node.tags["subject"] in SUBJECTS, key
        assert node.owners == ["team:recruiting"], key
        assert (node.freshness_policy is not None) == (key.path[0] in {"recruiting", "published"}), key


def test_tables_carry_their_columns_with_meaning_and_tier(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for key, name, tier in (("models/candidates", "first_name", "2"), ("ats/candidates", "source", "1")):
        schema = graph.get(dg.AssetKey.from_user_string(key)).metadata["dagster/column_schema"]
        columns = {column.name: column for column in schema.columns}
        assert columns[name].tags == {"tier": tier}
        assert columns[name].description
        assert "observed_at" in columns
    assert "first_name" not in columns  # the warehouse holds no names


def test_only_the_build_takes_a_part_of_its_assets_and_it_does_all_even_so(definitions: dg.Definitions) -> None:
    steps = {graph.node_def.name: graph for graph in definitions.resolve_asset_graph().assets_defs}
    assert set(steps) == {"extract", "load", "build", "published__recruiting", "published__report"}
    assert {name for name, step in steps.items() if step.can_subset} == {"build"}
