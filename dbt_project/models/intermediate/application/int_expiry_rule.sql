{#- The share of the old records that a rule may leave, and the widest difference in age, in days, of one rule. -#}
{%- set left_at_most = 0.05 -%}
{%- set same_age = 3 -%}

-- A rule that deletes old applications leaves none above an age, decided or not. People withdraw before a decision, so
-- the decided ones stay; and when a recruiter empties a job, younger applications of the job go, too. For each interval
-- with deletions this model finds the age, by the hour, above which nearly all went, and says what speaks for a rule.
with

deletions as (
    select * from {{ ref('int_deletion') }}
),

versions as (
    select * from {{ ref('int_application_version') }}
    where is_newest
),

applied as (
    select * from {{ ref('int_application_applied') }}
),

applications as (
    select
        date_trunc('hour', applied.applied_at) as applied_at,
        applied.job_id,
        deletions.interval_number,
        coalesce(versions.outcome = 'HIRED' and not versions.is_deleted, false) as is_hired,
        count(*) as n
    from applied
    inner join versions on applied.application_key = versions.application_key
    left join deletions on applied.application_key = deletions.application_key
    group by all
),

-- The intervals with most deletions of decided applications stand for the others.
intervals as (
    select
        interval_number,
        any_value(interval_ends_at) as ends_at,
        {{ days_between('any_value(interval_begins_at)', 'any_value(interval_ends_at)') }} as interval_days,
        max(applied_at) as newest_deleted_at,
        count(*) as n_deleted,
        count(*) filter (where outcome in ('HIRED', 'DECLINED')) as n_decided_deleted
    from deletions
    group by interval_number
    order by n_decided_deleted desc, n_deleted desc, interval_number asc
    limit {{ var('expiry_intervals') }}
),

hours as (
    select
        applied_at,
        interval_number,
        is_hired,
        sum(n) as n
    from applications
    group by all
),

-- Hires may be kept by such a rule, so they don't speak against one.
by_hour as (
    select
        intervals.interval_number,
        hours.applied_at,
        {{ sum_where('hours.n', 'hours.interval_number = intervals.interval_number') }} as n_deleted,
        {{ sum_where(
            'hours.n', 'not hours.is_hired and coalesce(hours.interval_number > intervals.interval_number, true)'
        ) }} as n_left
    from intervals
    inner join hours
        on
            intervals.newest_deleted_at >= hours.applied_at
            and coalesce(intervals.interval_number <= hours.interval_number, true)
    group by intervals.interval_number, hours.applied_at
),

summed as (
    select
        interval_number,
        applied_at,
        n_deleted,
        sum(n_deleted) over older as n_deleted_older,
        sum(n_left) over older as n_left_older
    from by_hour
    window older as (partition by interval_number order by applied_at)
),

thresholds as (
    select
        summed.interval_number,
        any_value(intervals.ends_at) as ends_at,
        any_value(intervals.interval_days) as interval_days,
        any_value(intervals.n_decided_deleted) as n_decided_deleted,
        max(summed.applied_at) as newest_at,
        {{ days_between('max(summed.applied_at)', 'any_value(intervals.ends_at)') }} as age_days
    from summed
    inner join intervals on summed.interval_number = intervals.interval_number
    where
        summed.n_deleted > 0
        and summed.n_left_older <= {{ left_at_most }} * (summed.n_deleted_older + summed.n_left_older)
    group by summed.interval_number
),

above as (
    select
        thresholds.interval_number,
        deletions.job_id,
        count(*) as n,
        count(*) filter (where deletions.outcome in ('HIRED', 'DECLINED')) as n_decided
    from thresholds
    inner join deletions
        on thresholds.interval_number = deletions.interval_number and thresholds.newest_at >= deletions.applied_at
    group by thresholds.interval_number, deletions.job_id
),

sizes as (
    select
        interval_number,
        sum(n) as n,
        sum(n_decided) as n_decided
    from above
    group by interval_number
),

-- A rule that works each night deletes few at a time, always at the same age.
alike as (
    select
        one.interval_number,
        other.interval_number as other_number,
        other.n_decided_deleted
    from thresholds as one
    inner join thresholds as other
        on abs(one.age_days - other.age_days) <= {{ same_age }} + greatest(one.interval_days, other.interval_days, 0)
),

evidence as (
    select
        alike.interval_number,
        count(*) as n_intervals,
        sum(sizes.n) as n,
        sum(sizes.n_decided) as n_decided,
        sum(alike.n_decided_deleted) as n_decided_deleted
    from alike
    inner join sizes on alike.other_number = sizes.interval_number
    group by alike.interval_number
),

job_sizes as (
    select
        alike.interval_number,
        above.job_id,
        sum(above.n) as n
    from alike
    inner join above on alike.other_number = above.interval_number
    group by alike.interval_number, above.job_id
),

largest_jobs as (
    select
        interval_number,
        arg_max(job_id, n) as job_id,
        max(n) as n
    from job_sizes
    group by interval_number
),

jobs_left as (
    select
        job_id,
        max(applied_at) as newest_left_at
    from applications
    where interval_number is null and not is_hired
    group by job_id
),

judged as (
    select
        thresholds.interval_number,
        thresholds.ends_at,
        thresholds.newest_at,
        thresholds.age_days,
        evidence.n_intervals,
        evidence.n,
        evidence.n_decided,
        evidence.n >= {{ var('minimum_n') }} as is_enough,
        evidence.n_decided >= greatest(3, 0.05 * evidence.n) as is_decided_too,
        evidence.n_decided / nullif(evidence.n_decided_deleted, 0) as share_explained,
        evidence.n_intervals >= 5
        or largest_jobs.n <= 0.8 * evidence.n
        or coalesce(jobs_left.newest_left_at > thresholds.newest_at, false) as is_over_jobs
    from thresholds
    inner join evidence on thresholds.interval_number = evidence.interval_number
    inner join largest_jobs on thresholds.interval_number = largest_jobs.interval_number
    left join jobs_left on largest_jobs.job_id = jobs_left.job_id
),

-- Where no decided application was as old, or many younger ones went as well, both readings are possible.
final as (
    select
        interval_number,
        ends_at,
        newest_at,
        age_days,
        n_intervals,
        n as n_deleted,
        n_decided as n_decided_deleted,
        case
            when not (is_enough and is_over_jobs) then null
            when is_decided_too and share_explained >= 0.8 then 'detected'
            when n_decided = 0 or (is_decided_too and share_explained >= 0.5) then 'mixed'
        end as expiry_evidence
    from judged
)

select * from final
