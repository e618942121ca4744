with

syncs as (
    select * from {{ ref('stg_ats__syncs') }}
),

-- Once a full sync has found a change that the source's update time did not announce, a listing filtered by update time
-- proves nothing.
trust as (
    select coalesce(sum(n_unannounced), 0) = 0 as is_last_updated_at_trusted
    from syncs
),

-- Every sync reads the lists of jobs whole. A guarded sync may have kept jobs that the lists lacked.
proofs as (
    select
        syncs.sync_id,
        syncs.mode,
        syncs.verdict,
        syncs.started_at,
        syncs.proves_at,
        syncs.finished_at,
        syncs.as_of,
        syncs.is_applications_whole,
        coalesce(syncs.is_list_not_proved, false) as is_list_not_proved,
        trust.is_last_updated_at_trusted,
        row_number() over (order by syncs.sync_id) as sync_number,
        syncs.verdict = 'committed' and syncs.is_applications_whole
        and syncs.mode = 'full' and syncs.n_pending_looks = 0 as is_proof_of_presence,
        syncs.verdict = 'committed' and syncs.is_applications_whole
        and syncs.mode = 'full' and syncs.n_pending_undecided = 0 as is_proof_of_follow_up,
        syncs.verdict = 'committed' and syncs.is_applications_whole
        and (
            (syncs.mode = 'full' and syncs.n_pending_looks = 0)
            or (syncs.mode = 'incremental' and trust.is_last_updated_at_trusted)
        ) as is_proof_of_content,
        syncs.verdict = 'committed' as is_proof_of_jobs
    from syncs
    cross join trust
),

-- A sync shows the state at the instant when its source looked. Where the source's answers may be old, that is before
-- the sync's start.
final as (
    select
        sync_id,
        sync_number,
        mode,
        verdict,
        started_at,
        proves_at,
        finished_at,
        as_of,
        is_applications_whole,
        is_list_not_proved,
        is_last_updated_at_trusted,
        is_proof_of_content,
        is_proof_of_presence,
        is_proof_of_follow_up,
        is_proof_of_jobs,
        max(proves_at) filter (where is_proof_of_content) over before as content_proved_at,
        arg_max(sync_id, proves_at) filter (where is_proof_of_content) over before as content_proof_sync_id,
        max(proves_at) filter (where is_proof_of_presence) over before as presence_proved_at,
        arg_max(sync_id, proves_at) filter (where is_proof_of_presence) over before as presence_proof_sync_id,
        max(proves_at) filter (where is_proof_of_jobs) over before as jobs_proved_at
    from proofs
    window before as (order by sync_number rows between unbounded preceding and 1 preceding)
)

select * from final
