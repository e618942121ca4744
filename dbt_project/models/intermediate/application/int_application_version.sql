with

versions as (
    select * from {{ ref('stg_ats__application_versions') }}
),

syncs as (
    select * from {{ ref('int_sync') }}
),

applied as (
    select * from {{ ref('int_application_applied') }}
),

stages as (
    select * from {{ ref('int_stage') }}
),

job_stages as (
    select * from {{ ref('int_job_stage') }}
),

states as (
    select * from {{ ref('int_application_state') }}
),

-- What each of the source's words means by the newest mapping. A word that the mapping learns late changes the history
-- and makes no event.
words as (
    select
        state,
        arg_max(outcome, sync_id) as outcome
    from versions
    group by state
),

unread as (
    select * from {{ ref('stg_ats__unread_applications') }}
),

once_unread as (
    select distinct application_key from unread
),

-- A sync that could not read a record proves nothing about its content. The last proof for such a record is another
-- sync.
unread_proofs as (
    select
        versions.application_key,
        versions.sync_id,
        max(proofs.proves_at) as content_proved_at,
        arg_max(proofs.sync_id, proofs.proves_at) as content_proof_sync_id
    from versions
    inner join syncs as proofs on versions.sync_id > proofs.sync_id
    left join unread on versions.application_key = unread.application_key and proofs.sync_id = unread.sync_id
    where
        proofs.is_proof_of_content
        and unread.sync_id is null
        and versions.application_key in (select once_unread.application_key from once_unread)
    group by all
),

-- A tombstone after a tombstone is no news. Few applications have more than one.
often_gone as (
    select application_key
    from versions
    where remote_deleted_at is not null
    group by application_key
    having count(*) > 1
),

repeated as (
    select
        versions.application_key,
        versions.sync_id
    from versions
    inner join syncs on versions.sync_id = syncs.sync_id
    where versions.application_key in (select often_gone.application_key from often_gone)
    qualify
        versions.remote_deleted_at is not null
        and lag(versions.remote_deleted_at) over (
            partition by versions.application_key order by versions.sync_id
        ) is not null
),

-- An application has its job from the beginning: where the source showed none at first, the first one that it showed.
first_shown_jobs as (
    select
        application_key,
        arg_min(job_id, sync_id) as job_id,
        min(sync_id) filter (where job_id is not null) as sync_id
    from versions
    where
        application_key in (
            select without_job.application_key
            from versions as without_job
            where without_job.job_id is null and without_job.remote_deleted_at is null
        )
    group by application_key
),

-- A deletion is observed when the sync that established it looked. Without a state, the outcome stays as it came.
kept as (
    select
        versions.application_key,
        case
            when versions.sync_id < first_shown_jobs.sync_id and versions.remote_deleted_at is null
                then first_shown_jobs.job_id
            else versions.job_id
        end as job_id,
        versions.current_stage_id as stage_id,
        versions.state,
        case when versions.state is null then versions.outcome else words.outcome end as outcome,
        versions.source,
        versions.remote_updated_at as updated_at,
        coalesce(versions.is_updated_in_the_future, false) as is_in_the_future,
        versions.remote_deleted_at is not null as is_deleted,
        versions.sync_id,
        case
            when versions.observed_at < syncs.started_at and versions.remote_deleted_at is not null then syncs.as_of
            else versions.observed_at
        end as observed_at,
        case when versions.reason <> 'mapping' then versions.sync_id end as written_sync_id
    from versions
    inner join syncs on versions.sync_id = syncs.sync_id
    left join words on versions.state = words.state
    left join first_shown_jobs on versions.application_key = first_shown_jobs.application_key
    left join repeated
        on versions.application_key = repeated.application_key and versions.sync_id = repeated.sync_id
    where repeated.sync_id is null
),

-- The version before, and the last fetches before it and before this one: a sync that wrote a record has seen it,
-- whatever its listing proves. Two tombstones never follow each other, so the last live version is one or two versions
-- back. One pass over few columns, because this step takes most time where there are many versions.
neighbours as (
    select
        *,
        row_number() over history as version_number,
        lead(sync_id) over history is null as is_newest,
        lag(is_deleted) over history as was_deleted,
        lag(sync_id) over history as sync_id_before,
        case when was_deleted then lag(stage_id, 2) over history else lag(stage_id) over history end
            as previous_stage_id,
        case when was_deleted then lag(job_id, 2) over history else lag(job_id) over history end as previous_job_id,
        case when was_deleted then lag(state, 2) over history else lag(state) over history end as previous_state,
        case when was_deleted then lag(outcome, 2) over history else lag(outcome) over history end as previous_outcome,
        max(updated_at) over before as last_updated_at,
        max(written_sync_id) over before as last_written_sync_id,
        max(written_sync_id) over long_before as written_sync_id_before
    from kept
    window
        history as (partition by application_key order by sync_id),
        before as (partition by application_key order by sync_id rows between unbounded preceding and 1 preceding),
        long_before as (partition by application_key order by sync_id rows between unbounded preceding and 2 preceding)
),

-- The last instant at which the record was certainly there, or away, as in the version before, and the same instant of
-- that version.
present as (
    select
        neighbours.*,
        case
            when neighbours.outcome = 'HIRED' then 4
            else coalesce(states.milestone_rank, job_stages.milestone_rank, stages.milestone_rank, 1)
        end as milestone_rank,
        coalesce(states.is_initial, false) as is_initial_state,
        coalesce(job_stages.is_first, stages.milestone_rank = 1) as is_first_stage,
        coalesce(syncs.is_last_updated_at_trusted, true) as is_last_updated_at_trusted,
        case
            when once_unread.application_key is null then syncs.content_proved_at
            else unread_proofs.content_proved_at
        end as content_proved_at,
        case
            when once_unread.application_key is null then syncs.content_proof_sync_id
            else unread_proofs.content_proof_sync_id
        end as content_proof_sync_id,
        written.proves_at as last_written_at,
        greatest(syncs.presence_proved_at, written.proves_at) as presence_lo,
        case
            when syncs.presence_proved_at > written.proves_at or written.proves_at is null
                then syncs.presence_proof_sync_id
            else neighbours.last_written_sync_id
        end as presence_lo_sync_id,
        greatest(syncs_before.presence_proved_at, written_before.proves_at) as presence_lo_before,
        case
            when syncs_before.presence_proved_at > written_before.proves_at or written_before.proves_at is null
                then syncs_before.presence_proof_sync_id
            else neighbours.written_sync_id_before
        end as presence_lo_sync_id_before
    from neighbours
    inner join syncs on neighbours.sync_id = syncs.sync_id
    left join syncs as written on neighbours.last_written_sync_id = written.sync_id
    left join syncs as syncs_before on neighbours.sync_id_before = syncs_before.sync_id
    left join syncs as written_before on neighbours.written_sync_id_before = written_before.sync_id
    left join stages on neighbours.stage_id = stages.stage_id
    left join job_stages on neighbours.job_id = job_stages.job_id and neighbours.stage_id = job_stages.stage_id
    left join states on neighbours.state = states.state
    left join once_unread on neighbours.application_key = once_unread.application_key
    left join unread_proofs
        on neighbours.application_key = unread_proofs.application_key and neighbours.sync_id = unread_proofs.sync_id
),

-- The last instant at which the content certainly was that of the live version before. A deleted record shows no
-- change.
unchanged as (
    select
        *,
        case
            when was_deleted then presence_lo_before
            else greatest(content_proved_at, last_written_at)
        end as content_lo,
        case
            when was_deleted then presence_lo_sync_id_before
            when content_proved_at > last_written_at or last_written_at is null then content_proof_sync_id
            else last_written_sync_id
        end as content_lo_sync_id
    from present
),

-- Presence dates a tombstone, content dates a live version. An application that first shows a state other than an
-- initial one has moved since its creation. Without a state, its stage and outcome decide that.
proved as (
    select
        *,
        version_number = 1 and case
            when state is null then not coalesce(is_first_stage and outcome = 'PENDING', false)
            else not is_initial_state
        end as is_moved_before,
        case
            when version_number = 1 then null
            when is_deleted then presence_lo
            else content_lo
        end as proved_lo,
        case
            when version_number = 1 then null
            when is_deleted then presence_lo_sync_id
            else content_lo_sync_id
        end as proved_lo_sync_id,
        case when was_deleted and not is_deleted then presence_lo end as returned_lo,
        case when was_deleted and not is_deleted then presence_lo_sync_id end as returned_lo_sync_id
    from unchanged
),

-- No change of an application lies before its creation.
bounded as (
    select
        proved.application_key,
        proved.version_number,
        proved.sync_id,
        proved.job_id,
        proved.previous_job_id,
        proved.stage_id,
        proved.state,
        proved.outcome,
        proved.previous_stage_id,
        proved.previous_state,
        proved.previous_outcome,
        proved.milestone_rank,
        proved.source,
        proved.is_deleted,
        proved.was_deleted,
        proved.is_newest,
        proved.is_moved_before,
        proved.updated_at,
        proved.is_in_the_future,
        proved.last_updated_at,
        proved.is_last_updated_at_trusted,
        proved.observed_at,
        proved.proved_lo,
        proved.returned_lo,
        proved.returned_lo_sync_id,
        applied.applied_at,
        applied.applied_at_hi,
        applied.applied_evidence,
        greatest(proved.proved_lo, applied.applied_at_lo) as lo,
        case when proved.proved_lo >= applied.applied_at_lo then proved.proved_lo_sync_id end as lo_sync_id
    from proved
    inner join applied on proved.application_key = applied.application_key
),

-- The source's update time announces a change only if it lies after lo and has moved since the version before.
announced as (
    select
        *,
        updated_at is not null
        and not coalesce(updated_at <= lo, false)
        and not coalesce(updated_at <= last_updated_at, false) as is_announced
    from bounded
),

-- Where the update time is known to miss changes, it may be that of another, earlier change. Then only the fetch is
-- certain.
dated as (
    select
        *,
        case
            when is_announced and is_last_updated_at_trusted then updated_at
            else observed_at
        end as hi
    from announced
),

-- What is first seen where applications begin has been so since it was made, or since its source's update time, if that
-- is later, or since its first fetch, if there is no such time: it may have been elsewhere in between.
final as (
    select
        application_key,
        version_number,
        sync_id,
        job_id,
        previous_job_id,
        stage_id,
        state,
        outcome,
        previous_stage_id,
        previous_state,
        previous_outcome,
        milestone_rank,
        source,
        is_deleted,
        was_deleted,
        is_newest,
        is_moved_before,
        lo as became_at_lo,
        case when version_number = 1 and not is_moved_before then applied_at else hi end as became_at,
        case
            when version_number > 1 or is_moved_before then hi
            when updated_at is null or is_announced then greatest(applied_at_hi, hi)
            else applied_at_hi
        end as became_at_hi,
        case
            when version_number = 1 and not is_moved_before then applied_evidence
            when proved_lo is null or is_in_the_future then 'bounded'
            else 'observed'
        end as evidence,
        lo_sync_id,
        returned_lo,
        -- no update time announces a return: one that came with it is of a change before or after
        case when returned_lo < hi then hi when returned_lo is not null then observed_at end as returned_at,
        case when returned_lo is not null then observed_at end as returned_hi,
        returned_lo_sync_id,
        not is_announced and not is_deleted and (version_number > 1 or is_moved_before) as is_unannounced,
        is_in_the_future
    from dated
)

select * from final
