"""Schedules that skip a turn when they must, jobs that do what their names say, and the log line of a failed run."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from join_pipeline.defs import build_definitions
from join_pipeline.lake.files import locked
from join_pipeline.settings import Settings
from join_pipeline.sources.feed import guarded, loss_feeds
from join_pipeline.sources.registry import SOURCES, source_of
from join_pipeline_tests.dagster.conftest import settings_for
from join_pipeline_tests.receivers import WEBHOOK_SECRET, hook


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as instance:
        yield instance


def tick(
    definitions: dg.Definitions, settings: Settings, name: str, instance: dg.DagsterInstance
) -> list[dg.RunRequest] | str:
    """What a tick of the schedule asks for, or why it is skipped."""
    repository = definitions.get_repository_def()
    context = dg.build_schedule_context(instance, datetime(2026, 6, 1, tzinfo=UTC), repository_def=repository)
    evaluated = repository.get_schedule_def(name).evaluate_tick(context)
    return list(evaluated.run_requests or []) or str(evaluated.skip_message)


def test_the_night_reads_everything_and_the_hour_what_is_due(
    definitions: dg.Definitions, settings: Settings, instance: dg.DagsterInstance
) -> None:
    modes = {}
    for name, job in (("hourly", "sync"), ("nightly", "sync_full")):
        (request,) = tick(definitions, settings, name, instance)
        config = dg.validate_run_config(definitions.resolve_job_def(job), request.run_config)
        modes[name] = config["ops"]["extract"]["config"]["mode"]
    assert modes == {"hourly": "auto", "nightly": "full"}


def test_a_rebuild_begins_from_nothing_and_leaves_join_alone(definitions: dg.Definitions) -> None:
    job = definitions.resolve_job_def("rebuild")
    config = dg.validate_run_config(job, {})
    assert config["ops"]["load"]["config"] == {"from_nothing": True}
    assert {node.name for node in job.nodes} == {"load", "build", "published__recruiting", "published__report"}


def test_an_unknown_mode_or_feed_is_refused_before_anything_runs(definitions: dg.Definitions) -> None:
    # candidates are a feed of another source
    for config, known in (
        ({"mode": "quick"}, "incremental"),
        ({"accept_loss": ["categories"]}, "applications"),
        ({"accept_loss": ["candidates"]}, "applications"),
    ):
        with pytest.raises(dg.DagsterInvalidConfigError, match=known):
            dg.validate_run_config(definitions.resolve_job_def("sync"), {"ops": {"extract": {"config": config}}})


@pytest.mark.parametrize("name", SOURCES)
def test_the_losses_that_can_be_accepted_are_of_the_feeds_that_the_guard_watches(settings: Settings, name: str) -> None:
    feeds = source_of(name, settings).feeds
    assert guarded(feeds) == tuple(feed.name for feed in feeds if not feed.is_reference)
    assert tuple(loss_feeds(feeds)) == guarded(feeds)


@pytest.mark.parametrize("name", ["hourly", "nightly"])
def test_a_tick_is_skipped_while_a_command_holds_the_lock(
    name: str, definitions: dg.Definitions, settings: Settings, instance: dg.DagsterInstance
) -> None:
    with locked(settings.home):
        said = tick(definitions, settings, name, instance)
    assert isinstance(said, str)
    assert said.startswith("Another command works on ")
    assert isinstance(tick(definitions, settings, name, instance), list)


def test_a_tick_is_skipped_while_a_run_is_under_way(
    definitions: dg.Definitions, settings: Settings, instance: dg.DagsterInstance
) -> None:
    job = definitions.resolve_job_def("sync")
    run = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED, tags=job.run_tags)
    assert tick(definitions, settings, "hourly", instance) == f"The run {run.run_id} of sync has not ended."
    instance.report_run_canceled(run)
    assert isinstance(tick(definitions, settings, "hourly", instance), list)


def test_a_failed_run_writes_one_clear_line_and_sends_a_notice(
    sandbox_url: str, tmp_path: Path, instance: dg.DagsterInstance, capfd: pytest.CaptureFixture[str]
) -> None:
    with hook() as got:
        settings = settings_for(sandbox_url, tmp_path, join_api_token=None, notice_webhook=got.url)
        definitions = build_definitions(settings)
        result = definitions.resolve_job_def("sync").execute_in_process(instance=instance, raise_on_error=False)
        (event,) = [event for event in result.all_events if event.event_type_value == "PIPELINE_FAILURE"]
        sensor = definitions.get_repository_def().get_sensor_def("failed_run")
        context = dg.build_run_status_sensor_context(sensor.name, event, instance, result.dagster_run)
        said = []
        for got.answers in (500, 200, 200):
            capfd.readouterr()
            sensor(context.for_run_failure())
            said.append(capfd.readouterr().err)
    for printed in said:
        (line,) = [line for line in printed.splitlines() if "failed" in line]
        assert f"sync failed (run {result.run_id}): extract: JOIN_API_TOKEN is not set." in line
        assert re.search(r"export JOIN_API_TOKEN=…$", line)
        assert "Traceback" not in printed
        assert WEBHOOK_SECRET not in printed
    assert ["The notice was not sent by webhook: the server answered 500." in printed for printed in said] == [
        True,
        False,
        False,
    ]
    refused, text = got.texts
    assert text == refused
    assert text.startswith("sandbox: sync failed: extract: JOIN_API_TOKEN is not set.")
    assert text.endswith(f"Run {result.run_id}.")
