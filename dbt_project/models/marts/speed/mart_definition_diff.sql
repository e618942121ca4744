with

definitions as (
    select * from {{ ref('vendor_definition') }}
),

offers as (
    select * from {{ ref('int_application_milestone') }}
    where milestone = 'OFFER'
),

jobs as (
    select * from {{ ref('fct_job_vacancy') }}
),

-- The hires are the same for every vendor: those that stand and were seen to happen.
hires as (
    select
        hires.application_key,
        hires.job_id,
        hires.applied_at,
        hires.hired_at,
        offers.reached_at as offered_at,
        jobs.opened_at,
        hires.is_deleted
    from {{ ref('fct_time_to_hire') }} as hires
    left join offers on hires.application_key = offers.application_key
    left join jobs on hires.job_id = jobs.job_id
    inner join {{ ref('int_follow_up') }} as follow_up on hires.hired_at <= follow_up.followed_until
    where not hires.is_historic
),

-- A live system does not count hires that it has deleted.
timed as (
    select
        definitions.metric,
        definitions.vendor,
        definitions.counting,
        definitions.statistic,
        case definitions.from_event when 'applied' then hires.applied_at when 'job opened' then hires.opened_at end
            as from_at,
        case definitions.to_event when 'hired' then hires.hired_at when 'offer' then hires.offered_at end as to_at
    from definitions
    cross join hires
    where definitions.is_deleted_counted or not hires.is_deleted
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
        count(days) as n,
        case any_value(statistic) when 'median' then quantile_cont(days, 0.5) when 'mean' then avg(days) end as days
    from durations
    group by metric, vendor
),

final as (
    select
        definitions.metric,
        definitions.vendor,
        definitions.their_name,
        definitions.from_event,
        definitions.to_event,
        definitions.statistic,
        definitions.counting,
        definitions.is_deleted_counted,
        definitions.note,
        case when counted.n >= {{ var('k') }} then counted.n end as n_hires,
        case when counted.n >= {{ var('minimum_n') }} then counted.days end as days,
        coalesce(counted.n, 0) < {{ var('k') }} as is_suppressed
    from definitions
    left join counted on definitions.metric = counted.metric and definitions.vendor = counted.vendor
)

select * from final
