with

service_levels as (
    select * from {{ ref('int_service_level') }}
),

waiting as (
    select * from {{ ref('mart_pipeline_ageing') }}
),

visits as (
    select * from {{ ref('fct_stage_visit') }}
    where application_key in (select waiting.application_key from waiting)
),

-- A stay at a milestone is its visits in a row, without a decision between them. The one that lasts begins after the
-- last visit that ended another.
ends as (
    select
        application_key,
        visit_number,
        entered_at_lo,
        entered_at,
        entered_at_hi,
        entered_evidence,
        exit,
        coalesce(lead(milestone) over history = milestone and exit = 'MOVED', false) as is_continued
    from visits
    window history as (partition by application_key order by visit_number)
),

lasting as (
    select
        *,
        coalesce(max(visit_number) filter (where not is_continued and exit is not null) over history, 0)
            as previous_number
    from ends
    window history as (partition by application_key)
),

stays as (
    select
        application_key,
        arg_min_null(entered_at_lo, visit_number) as entered_at_lo,
        min(entered_at) as entered_at,
        arg_min(entered_at_hi, visit_number) as entered_at_hi,
        arg_min(entered_evidence, visit_number) as entered_evidence
    from lasting
    where visit_number > previous_number
    group by application_key
),

-- Days are counted to the last sync that proves that the application waits, not to now.
counted as (
    select
        waiting.application_key,
        waiting.job_id,
        waiting.milestone,
        service_levels.milestone_rank,
        service_levels.days_allowed,
        stays.entered_at_lo,
        stays.entered_at,
        stays.entered_at_hi,
        stays.entered_evidence,
        waiting.known_until_at,
        {{ days_between('stays.entered_at_hi', 'waiting.known_until_at') }} as days_at_milestone_lo,
        {{ days_between('stays.entered_at', 'waiting.known_until_at') }} as days_at_milestone,
        {{ days_between('stays.entered_at_lo', 'waiting.known_until_at') }} as days_at_milestone_hi,
        waiting.is_in_closed_job
    from waiting
    inner join service_levels on waiting.milestone = service_levels.milestone
    left join stays on waiting.application_key = stays.application_key
),

final as (
    select
        application_key,
        job_id,
        milestone,
        milestone_rank,
        days_allowed,
        entered_at_lo,
        entered_at,
        entered_at_hi,
        entered_evidence,
        known_until_at,
        days_at_milestone_lo,
        days_at_milestone,
        days_at_milestone_hi,
        days_allowed - days_at_milestone as days_left,
        is_in_closed_job,
        not is_in_closed_job and coalesce(days_at_milestone > days_allowed, false) as is_overdue,
        not is_in_closed_job and coalesce(days_at_milestone_lo > days_allowed, false) as is_certainly_overdue
    from counted
)

select * from final
