with

definitions as (
    select * from {{ ref('vendor_definition') }}
),

applications as (
    select * from {{ ref('fct_application') }}
),

reached as (
    select * from {{ ref('int_application_milestone') }}
),

follow_up as (
    select followed_until from {{ ref('int_follow_up') }}
),

offers as (
    select * from reached
    where milestone = 'OFFER'
),

jobs as (
    select * from {{ ref('fct_job_vacancy') }}
),

candidates as (
    select
        candidate_key,
        min(applied_at) as first_applied_at
    from applications
    group by candidate_key
),

-- The hires are the same for every vendor: those that stand and were seen to happen.
hires as (
    select
        'hires' as counted,
        hires.applied_at,
        coalesce(candidates.first_applied_at, hires.applied_at) as first_applied_at,
        jobs.opened_at,
        offers.reached_at as offered_at,
        hires.hired_at,
        cast(null as timestamptz) as begun_at,
        cast(null as timestamptz) as ended_at,
        cast(null as boolean) as is_stale,
        hires.is_deleted
    from {{ ref('fct_time_to_hire') }} as hires
    left join offers on hires.application_key = offers.application_key
    left join jobs on hires.job_id = jobs.job_id
    left join candidates on hires.candidate_key = candidates.candidate_key
    inner join follow_up on hires.hired_at <= follow_up.followed_until
    where not hires.is_historic
),

-- Whoever applied before the first sync, or was decided by then, may have been offered the job at any time before.
offered as (
    select
        'offers' as counted,
        applications.applied_at,
        offers.reached_at as offered_at,
        applications.is_deleted
    from offers
    inner join applications on offers.application_key = applications.application_key
    inner join follow_up on offers.reached_at <= follow_up.followed_until
    where not applications.is_left_truncated
),

-- When each application reached a milestone, and when a later one. Whoever skipped it reached it with the later one.
steps as (
    select
        reached.application_key,
        reached.milestone,
        reached.reached_at as begun_at,
        lead(reached.reached_at) over (
            partition by reached.application_key order by reached.milestone_rank
        ) as ended_at
    from reached
),

moved as (
    select
        'moves beyond ' || lower(steps.milestone) as counted,
        steps.begun_at,
        steps.ended_at,
        applications.is_deleted
    from steps
    inner join applications on steps.application_key = applications.application_key
    inner join follow_up on steps.ended_at <= follow_up.followed_until
    where not applications.is_left_truncated
),

stayed as (
    select
        'visits at ' || lower(visits.milestone) as counted,
        visits.entered_at as begun_at,
        visits.left_at as ended_at,
        false as is_deleted
    from ({{ followed_visits() }}) as visits
    where
        visits.visit_status = 'completed' and not (visits.is_left_truncated and visits.entered_evidence = 'bounded')
),

waiting as (
    select
        'open applications' as counted,
        {{ days_between('applied_at', 'last_known_open_at') }} > 90 as is_stale,
        is_deleted
    from applications
    where status = 'OPEN'
),

stuck as (
    select
        'open applications in open jobs' as counted,
        is_stuck as is_stale,
        false as is_deleted
    from {{ ref('mart_pipeline_ageing') }}
    where not is_in_closed_job
),

things as (
    select * from hires
    union all by name
    select * from offered
    union all by name
    select * from moved
    union all by name
    select * from stayed
    union all by name
    select * from waiting
    union all by name
    select * from stuck
),

-- A live system does not count what it has deleted.
timed as (
    select
        definitions.metric,
        definitions.vendor,
        definitions.counting,
        definitions.statistic,
        things.is_stale,
        case definitions.from_event
            when 'applied' then things.applied_at
            when 'first application' then things.first_applied_at
            when 'job opened' then things.opened_at
            else things.begun_at
        end as from_at,
        case definitions.to_event
            when 'hired' then things.hired_at
            when 'offer' then things.offered_at
            else things.ended_at
        end as to_at
    from definitions
    inner join things on coalesce(definitions.counted, 'hires') = things.counted
    where definitions.is_deleted_counted or not things.is_deleted
),

durations as (
    select
        *,
        case counting
            when 'fractional days' then {{ days_between('from_at', 'to_at') }}
            when 'calendar dates' then {{ local_date('to_at') }} - {{ local_date('from_at') }}
        end as days
    from timed
),

counted as (
    select
        metric,
        vendor,
        if(any_value(statistic) = 'share', count(is_stale), count(days)) as n,
        count(*) filter (where is_stale) as n_stale,
        case any_value(statistic) when 'median' then quantile_cont(days, 0.5) when 'mean' then avg(days) end as days
    from durations
    group by metric, vendor
),

final as (
    select
        definitions.metric,
        definitions.vendor,
        definitions.their_name,
        coalesce(definitions.counted, 'hires') as counted,
        definitions.from_event,
        definitions.to_event,
        definitions.statistic,
        definitions.counting,
        definitions.is_deleted_counted,
        definitions.note,
        definitions.source_url,
        case when counted.n >= {{ var('k') }} and coalesce(definitions.counted, 'hires') = 'hires' then counted.n end
            as n_hires,
        case when counted.n >= {{ var('k') }} then counted.n end as n_counted,
        case when counted.n >= {{ var('minimum_n') }} then counted.days end as days,
        case when definitions.statistic = 'share' then {{ rate('counted.n_stale', 'counted.n') }} end as share,
        coalesce(counted.n, 0) < {{ var('k') }} as is_suppressed
    from definitions
    left join counted on definitions.metric = counted.metric and definitions.vendor = counted.vendor
)

select * from final
