"""The hard cases, one application each: what a history that is only seen by syncs easily gets wrong.

Syncs 1 to 6 run on days 10 to 15, then none for five days, then 7 and 8 on days 20 and 21, all of them full; an
incremental one, number 9, on day 22 and a last full one on day 23.
"""

from join_pipeline_tests.dbt.company import Company, Seen, day

FIRST_DAY = {number: 9 + number for number in range(1, 7)} | {7: 20, 8: 21, 9: 22, 10: 23}


def company() -> Company:
    one = Company()
    for number, at in FIRST_DAY.items():
        one.sync(number, at, "incremental" if number == 9 else "full")

    screening, interview = Seen(1), Seen(1, "Interview", "ACTIVE", updated=9.5)
    one.application("untouched", screening, applied=9)
    # Interview on day 10.3 and Offer on day 10.8: the first was never seen
    one.application("two_moves", screening, Seen(2, "Offer", "OFFER", updated=10.8), applied=9)
    one.application(
        "back_move",
        screening,
        Seen(2, "Case study", "ACTIVE", updated=10.5),
        Seen(3, "Interview", "ACTIVE", updated=11.5),
        applied=9,
    )
    one.application(
        "reentry",
        screening,
        Seen(2, "Interview", "ACTIVE", updated=10.5),
        Seen(3, "Case study", "ACTIVE", updated=11.5),
        Seen(4, "Interview", "ACTIVE", updated=12.5),
        applied=9,
    )
    one.application("skipped", screening, Seen(4, "Hired", "HIRED", updated=12.25), applied=9)
    one.application(
        "decline_undone",
        screening,
        Seen(2, "Screening", "REJECTED", updated=10.5),
        Seen(3, "Screening", "APPLIED", updated=11.5),
        Seen(5, "Hired", "HIRED", updated=13.5),
        applied=9,
    )
    one.application(
        "vanished_and_returned",
        screening,
        Seen(3, gone=True),
        Seen(6, "Interview", "ACTIVE", updated=11.2, reason="returned"),
        applied=9,
    )
    one.application("vanished", interview, Seen(10, "Interview", "ACTIVE", updated=9.5, gone=True), applied=9)
    one.application(
        "decided_and_deleted",
        screening,
        Seen(2, "Screening", "REJECTED", updated=10.5),
        Seen(5, "Screening", "REJECTED", updated=10.5, gone=True),
        applied=9,
    )
    one.application("historic_hire", Seen(1, "Hired", "HIRED", updated=8), applied=2)
    one.application("historic_decline", Seen(1, "Interview", "REJECTED", updated=7), applied=2)
    one.application("unknown_outcome", Seen(1, "Interview", "PARKED", updated=9.5), applied=9)
    # came and moved between two syncs
    one.application("seen_moved", Seen(3, "Interview", "ACTIVE", updated=11.75), applied=11.25)
    one.application("came_and_hired", Seen(3, "Hired", "HIRED", updated=11.75), applied=11.25)
    # nothing was looked at between days 15 and 20
    one.application("over_the_gap", screening, Seen(7, "Hired", "HIRED", updated=17.5), applied=9)
    one.application("not_announced", screening, Seen(7, "Hired", "HIRED", updated=9), applied=9)
    # the incremental sync saw the change; only a full one could have seen the deletion
    one.application("by_increment", screening, Seen(9, "Hired", "HIRED", updated=21.5), Seen(10, gone=True), applied=9)
    one.application("no_creation", Seen(4, updated=12.5), applied=None)
    one.application("from_the_future", Seen(4), applied=400)
    # three applications of one person
    for number, job in enumerate(("Nurse", "Cook", "Porter")):
        one.application(f"thrice_{number}", Seen(2), applied=10.2 + number / 10, job=job, candidate="c-thrice")
    # the same person twice for the same job, and a version written anew that says the same
    for number, at in enumerate((10.2, 10.4)):
        one.application(f"twice_{number}", Seen(2), applied=at, candidate="c-twice")
    again = (
        Seen(2, "Interview", "ACTIVE", updated=10.5),
        Seen(4, "Interview", "ACTIVE", updated=10.5, reason="mapping"),
    )
    one.application("seen_twice", screening, *again, applied=9)
    # the job is archived between syncs 3 and 4, and two still wait in it
    one.job("Archived", opened_at=day(2), remote_created_at=day(2), remote_updated_at=day(2))
    closed = {"name": "Archived", "custom_fields": "{}", "opened_at": day(2), "remote_created_at": day(2)}
    one.link("jobs", "Archived", sync=4, status="ARCHIVED", remote_updated_at=day(12.75), **closed)
    for number in range(2):
        one.application(f"left_behind_{number}", screening, applied=9, job="Archived")
    # sync 3 finds a stage under another name and at another place of the pipeline, which nobody moved for
    one.job("Renamed", stages=("Screening", "Trial", "Second look", "Hired"))
    for name, seen in (("before_renaming", 2), ("after_renaming", 5)):
        one.application(
            name, screening, Seen(seen, "Trial", "ACTIVE", updated=FIRST_DAY[seen] - 0.5), applied=9, job="Renamed"
        )
    one.stage("Trial", 3, sync=3, name="Angebot")
    one.link("job_application_stages", "Renamed/Trial", sync=3, job_id="Renamed", stage_id="Trial", index=2)
    one.link("job_application_stages", "Renamed/Second look", sync=3, job_id="Renamed", stage_id="Second look", index=1)
    one.link("tags", "t-star", name="Star")
    for sync, gone in ((1, False), (3, True), (5, False)):
        tagged = {"candidate_id": "c-untouched", "tag_id": "t-star"}
        one.link("candidate_tags", "c-untouched/t-star", sync=sync, gone=gone, **tagged)
    one.link("users", "u-ada")
    one.link("job_hiring_team", "Nurse/u-ada", job_id="Nurse", user_id="u-ada", roles=["HIRING_MANAGER"])
    one.link("screening_questions", "q-1", title="Seit wann?", format_type="DATE")
    one.link("job_screening_questions", "Nurse/q-1", job_id="Nurse", question_id="q-1", index=0, required=True)
    return one
