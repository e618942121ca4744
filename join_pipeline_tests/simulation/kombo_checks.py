"""What must hold after every committed sync of Kombo, compared with what Kombo showed during the sync.

Belongs here: one function per claim, as in `checks`, where absence and deletion mean what they mean at Kombo. Not here:
the bounds of transitions, which are those of every source (bounds).
"""

from collections.abc import Callable, Iterable

from join_pipeline.sandbox.kombo.config import MODELS as LISTED
from join_pipeline_tests.oracle.values import instant
from join_pipeline_tests.simulation import checks
from join_pipeline_tests.simulation.kombo_memory import KomboMemory, KomboSpan
from join_pipeline_tests.simulation.kombo_shown import LINKS, named_by, row_cells
from join_pipeline_tests.simulation.observed import Observed, RawRecord, Row

KEPT = ("job_id", "current_stage_id", "outcome")


def everything(before: Observed | None, after: Observed, memory: KomboMemory, span: KomboSpan) -> list[str]:
    """All complaints about one committed sync."""
    own: tuple[Callable[[Observed | None, Observed, KomboMemory, KomboSpan], Iterable[str]], ...] = (
        what_came_is_kept,
        what_is_there_is_not_deleted,
        a_deletion_is_dated_by_kombo_and_takes_nothing_with_it,
        what_is_shown_is_known,
        what_is_gone_is_not_live,
        content_is_that_of_one_instant,
        links_are_complete,
        questions_are_those_of_live_jobs,
        what_others_show_is_known,
        the_guard_judges_as_it_says,
        looks_come_in_their_order,
    )
    of_any_source = (
        checks.versions_are_well_formed,
        checks.only_broken_records_are_set_aside,
        checks.unannounced_changes_are_counted,
        checks.files_are_those_that_are_listed,
    )
    return [
        f"{check.__name__}: {complaint}"
        for check in (*of_any_source, *own)
        for complaint in check(before, after, memory, span)
    ]


def what_came_is_kept(_: Observed | None, after: Observed, memory: KomboMemory, __: KomboSpan) -> Iterable[str]:
    """Every live record that ever came, and was one, has a version."""
    for model in LISTED:
        if missing := memory.arrived[model] - after.versions(model).keys():
            yield f"{model} {sorted(missing)[:5]} came, and are not in the lake"


def what_is_there_is_not_deleted(
    _: Observed | None, after: Observed, __: KomboMemory, span: KomboSpan
) -> Iterable[str]:
    """A deletion is of a record that Kombo did not show live all the time; and never of a guarded list."""
    for model in LISTED:
        for key, last in _tombstones(after, model, span):
            if model in span.refused:
                if not span.step.accepts_loss:
                    yield f"{model} {key} is deleted, and Kombo refused to tell"
            elif all(key in shown.live(model) for shown in span.shown):
                yield f"{model} {key} is deleted at {last['remote_deleted_at']}, and was there all the time"
            if _is_guarded(model, span):
                yield f"{model} {key} is deleted, although the guard objected"


def a_deletion_is_dated_by_kombo_and_takes_nothing_with_it(
    before: Observed | None, after: Observed, _: KomboMemory, span: KomboSpan
) -> Iterable[str]:
    """Kombo's own instant, or, where it has lost the record, the sync's; job, stage and outcome are not wiped."""
    for model in LISTED:
        for key, last in _tombstones(after, model, span):
            records = [shown.records[model][key] for shown in span.shown if key in shown.records[model]]
            told = {instant(record["remote_deleted_at"]) for record in records} - {None}
            if last["remote_deleted_at"] not in (told or {span.record.started_at}):
                yield f"{model} {key} is deleted at {last['remote_deleted_at']}, Kombo says {told}"
            if model != "applications" or before is None:
                continue
            ends = [record for record in records if record["job_id"] is not None]
            for name in KEPT:
                known = before.versions(model)[key][-1][name]
                allowed = {known, *(record[name] for record in ends if record[name] is not None)}
                if last[name] not in allowed or (last[name] is None and known is not None):
                    yield f"{model} {key} {name}: {last[name]!r} after its deletion, {known!r} before"


def what_is_shown_is_known(
    before: Observed | None, after: Observed, memory: KomboMemory, span: KomboSpan
) -> Iterable[str]:
    """What was there all the time is live: what was known before, and where nothing excuses it everything."""
    for model in LISTED:
        live = _live(after, model)
        there = _always_live(model, span)
        known = _live(before, model) if before else set()
        if lost := known & there - live:
            yield f"{model} {sorted(lost)[:5]} were known and are there, and are not live any more"
        if model in span.refused and not span.step.accepts_loss and (lost := known - live):
            yield f"{model} {sorted(lost)[:5]} were known and refused, and are not live any more"
        if not span.record.feeds[model].is_whole and not _is_guarded(model, span):
            continue
        if missed := {key for key in there - live if memory.is_known(model, key, span)}:
            yield f"{model} {sorted(missed)[:5]} are there and are not known"


def what_is_gone_is_not_live(
    _: Observed | None, after: Observed, memory: KomboMemory, span: KomboSpan
) -> Iterable[str]:
    """What Kombo says is gone is not live; nor, after a full sync that left nothing for later, what it has lost."""
    record = span.record
    for model in LISTED:
        if model in span.refused or _is_guarded(model, span):
            continue
        live = {row["id"]: row for row in after.current(model)}
        said = set.intersection(*(set(shown.records[model]) - set(shown.live(model)) for shown in span.shown))
        if stale := {key for key in said & live.keys() if _is_own(live[key]) and memory.is_known(model, key, span)}:
            yield f"{model} {sorted(stale)[:5]} are said to be gone and are live"
        if record.mode != "full" or record.pending.get(model) or "unknown" in memory.spoiled[model]:
            continue
        ever = set().union(*(shown.records[model] for shown in span.shown))
        if stale := {key for key, row in live.items() if _is_own(row) and key not in ever}:
            yield f"{model} {sorted(stale)[:5]} are nowhere at Kombo and are live"


def content_is_that_of_one_instant(
    _: Observed | None, after: Observed, memory: KomboMemory, span: KomboSpan
) -> Iterable[str]:
    """Each row's content is what Kombo showed of it at one instant of the sync."""
    for model in LISTED:
        if not span.record.feeds[model].is_whole:
            continue
        for row in after.current(model):
            key = row["id"]
            if not (_is_judged(model, key, memory, span) and _is_own(row)):
                continue
            found = row_cells(model, row)
            wanted = [shown.cells(model, key) for shown in span.shown]
            if found not in wanted:
                names = [name for name in found if found[name] != wanted[0][name]]
                told = ", ".join(f"{name}: expected {wanted[0][name]!r}, found {found[name]!r}" for name in names)
                yield f"{model} {row['remote_id']} {told}"


def links_are_complete(_: Observed | None, after: Observed, memory: KomboMemory, span: KomboSpan) -> Iterable[str]:
    """A record's links are all of those that it showed at one instant; what is not live has none."""
    for link, (model, _key, column, other) in LINKS.items():
        if not span.record.feeds[model].is_whole:
            continue
        found: dict[str, dict[str, object]] = {}
        for row in after.current(link):
            found.setdefault(row[column], {})[row[other]] = row_cells(link, row)
        rows = {row["id"]: row for row in after.current(model)}
        if orphans := found.keys() - rows.keys():
            yield f"{link} of {sorted(orphans)[:5]}, which are not live"
        for key, row in rows.items():
            if not (_is_judged(model, key, memory, span) and _is_own(row)):
                continue
            wanted = [shown.linked(link, key) for shown in span.shown]
            if found.get(key, {}) not in wanted:
                yield f"{link} of {row['remote_id']}: expected {wanted[0]}, found {found.get(key)}"


def questions_are_those_of_live_jobs(
    _: Observed | None, after: Observed, memory: KomboMemory, span: KomboSpan
) -> Iterable[str]:
    """A question is live as long as a link is, and is what a job said of it."""
    linked = {row["question_id"] for row in after.current("job_screening_questions")}
    live = {row["id"]: row for row in after.current("screening_questions")}
    if linked != live.keys():
        yield f"{len(live.keys() - linked)} questions without a job, {len(linked - live.keys())} not known"
    if span.record.mode != "full" or span.record.verdict != "committed" or memory.spoiled["jobs"] or span.refused:
        return
    told = [shown.questions() for shown in span.shown]
    for key, row in live.items():
        allowed = [one for questions in told for one in questions.get(key, [])]
        if allowed and row_cells("screening_questions", row) not in allowed:
            yield f"question {row['remote_id']}: {row_cells('screening_questions', row)}, told {allowed[0]}"


def what_others_show_is_known(
    _: Observed | None, after: Observed, memory: KomboMemory, span: KomboSpan
) -> Iterable[str]:
    """Whatever a live record shows has a version, be it in a list or not."""
    broken = set(after.quarantined(span.record.sync_id))
    for raw in after.raw(span.record.sync_id, LISTED):
        if raw.payload is None or raw.identity in broken or str(raw.key) in memory.account.odd:
            continue
        if raw.payload["remote_deleted_at"] is not None:
            continue
        if {key for model, key in named_by(raw.feed, raw.payload) if key not in after.versions(model)}:
            yield f"{raw.feed} {raw.key} shows records that are not in the lake"


def the_guard_judges_as_it_says(
    before: Observed | None, after: Observed, _: KomboMemory, span: KomboSpan
) -> Iterable[str]:
    """It objects when more than 20 % and at least 20 of the known are gone, or a whole list is empty or refused."""
    record = span.record
    if (record.verdict == "guarded") != bool(record.objections):
        yield f"{record.verdict} with objections {record.objections}"
    if before is None or span.is_resumed:
        return
    came: dict[str, list[RawRecord]] = {model: [] for model in LISTED}
    for raw in after.raw(record.sync_id, LISTED):
        if raw.listing != "look":
            came[raw.feed].append(raw)
    for model in LISTED:
        known = _live(before, model)
        live = {raw.key for raw in came[model] if not _is_gone(raw)}
        gone = {raw.key for raw in came[model] if _is_gone(raw)}
        missing = known - live if record.mode == "full" else known & gone
        is_loss = len(missing) >= 20 and len(missing) > 0.2 * len(known)
        is_empty = record.mode == "full" and not live
        should = bool(known) if model in span.refused else bool(missing) and (is_loss or is_empty)
        should = should and not span.step.accepts_loss
        if should != _is_guarded(model, span):
            yield f"{model}: {len(missing)} of {len(known)} are gone, {len(live)} came, objects: {not should}"
        if (should or model in span.refused) and record.feeds[model].is_whole:
            yield f"{model} counts as whole, and is not believed"


def looks_come_in_their_order(
    before: Observed | None, after: Observed, _: KomboMemory, span: KomboSpan
) -> Iterable[str]:
    """No more looks than are allowed; what was put off is looked at first, and is not forgotten."""
    if before is None or span.is_resumed:
        return
    for model in LISTED:
        put_off = set(before.newest.pending.get(model, ()))
        still = set(span.record.pending.get(model, ()))
        raw = list(after.raw(span.record.sync_id, (model,)))
        looked = {one.key for one in raw if one.listing == "look"}
        settled = {one.key for one in raw if one.payload is not None} | looked
        allowed = span.step.max_second_looks + checks.overdue_looks(before.newest, span.record, model)
        if len(looked) > allowed and model not in span.refused:
            yield f"{model}: {len(looked)} looks, {allowed} are allowed"
        if forgotten := (put_off & _live(after, model)) - settled - still:
            yield f"{model}: {sorted(forgotten)} were put off and are forgotten"
        if span.record.mode == "full" and looked - put_off and put_off & still:
            yield f"{model}: {sorted(looked - put_off)} were looked at before {sorted(put_off & still)}"


# What the claims are made of


def _live(lake: Observed, model: str) -> set[str]:
    return {row["id"] for row in lake.current(model)}


def _tombstones(after: Observed, model: str, span: KomboSpan) -> Iterable[tuple[str, Row]]:
    """Those that this sync wrote."""
    for key, versions in after.versions(model).items():
        last = versions[-1]
        if last["sync_id"] == span.record.sync_id and last["remote_deleted_at"] is not None:
            yield key, last


def _always_live(model: str, span: KomboSpan) -> set[str]:
    return set.intersection(*(set(shown.live(model)) for shown in span.shown))


def _is_own(row: Row) -> bool:
    """Whether the record's own list showed it, ever; else it is what others show of it."""
    return row["payload_hash"] is not None


def _is_judged(model: str, key: str, memory: KomboMemory, span: KomboSpan) -> bool:
    return memory.is_known(model, key, span) and all(key in shown.live(model) for shown in span.shown)


def _is_guarded(model: str, span: KomboSpan) -> bool:
    return model in span.record.guarded


def _is_gone(raw: RawRecord) -> bool:
    return isinstance(raw.payload, dict) and raw.payload.get("remote_deleted_at") is not None
