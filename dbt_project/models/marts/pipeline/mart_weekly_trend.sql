with

applications as (
    select
        job_id,
        date_trunc('week', applied_on) as applied_week,
        date_trunc('week', {{ local_date('decided_at') }}) as decided_week,
        case when status = 'EXPIRED' then date_trunc('week', {{ local_date('deleted_at') }}) end as expired_week,
        status,
        is_historic
    from {{ ref('fct_application') }}
),

-- A job was closed in the weeks between: at the end of the first one, and not at the end of the last.
closed_jobs as (
    select
        job_id,
        date_trunc('week', {{ local_date('from_at') }}) as from_week,
        date_trunc('week', {{ local_date('until_at') }}) as until_week
    from ({{ closed_jobs() }}) as closed
),

weeks as (
    select
        week_on,
        count(*) as n_days,
        count(*) filter (where is_synced) as n_days_synced,
        min(date_on) filter (where is_synced) as first_synced_on
    from {{ ref('dim_date') }}
    group by week_on
),

first_week as (
    select min(week_on) filter (where n_days_synced > 0) as week_on
    from weeks
),

applied as (
    select
        applied_week as week_on,
        count(*) as n
    from applications
    group by applied_week
),

-- A decision from before the first sync has an upper bound only, so it is in no week.
decided as (
    select
        decided_week as week_on,
        count(*) as n,
        count(*) filter (where status = 'HIRED') as n_hired,
        count(*) filter (where status = 'DECLINED') as n_declined,
        count(*) filter (where status = 'VANISHED') as n_vanished
    from applications
    where decided_week is not null and not is_historic
    group by decided_week
),

expired as (
    select
        expired_week as week_on,
        count(*) as n
    from applications
    where expired_week is not null
    group by expired_week
),

-- An application decided before the first sync waits in no week that is shown.
made as (
    select
        applied_week as week_on,
        count(*) as n
    from applications
    where not is_historic
    group by applied_week
),

-- The weeks at whose ends an application waits in a job that is closed then.
left_behind as (
    select
        greatest(applications.applied_week, closed_jobs.from_week) as from_week,
        least(applications.decided_week, applications.expired_week, closed_jobs.until_week) as until_week
    from applications
    inner join closed_jobs on applications.job_id = closed_jobs.job_id
    where not applications.is_historic
),

steps_behind as (
    select
        from_week as week_on,
        1 as step
    from left_behind
    where from_week < coalesce(until_week, 'infinity')
    union all
    select
        until_week as week_on,
        -1 as step
    from left_behind
    where from_week < until_week
),

behind as (
    select
        week_on,
        sum(step) as n
    from steps_behind
    group by week_on
),

counted as (
    select
        weeks.week_on,
        weeks.n_days,
        weeks.n_days_synced,
        weeks.week_on < first_week.week_on as is_before_first_sync,
        coalesce(applied.n, 0) as n_applications,
        coalesce(decided.n, 0) as n_decisions,
        coalesce(decided.n_hired, 0) as n_hired,
        coalesce(decided.n_declined, 0) as n_declined,
        coalesce(decided.n_vanished, 0) as n_vanished,
        coalesce(expired.n, 0) as n_expired,
        cast(
            sum(coalesce(made.n, 0)) over history
            - sum(coalesce(decided.n, 0) + coalesce(expired.n, 0)) over history as bigint
        ) as n_waiting,
        cast(sum(coalesce(behind.n, 0)) over history as bigint) as n_in_closed_job
    from weeks
    cross join first_week
    left join applied on weeks.week_on = applied.week_on
    left join decided on weeks.week_on = decided.week_on
    left join expired on weeks.week_on = expired.week_on
    left join made on weeks.week_on = made.week_on
    left join behind on weeks.week_on = behind.week_on
    window history as (order by weeks.week_on)
),

-- The group of a week: the applications that waited when it ended, and those that were decided or expired in it.
grouped as (
    select
        *,
        n_waiting + n_decisions + n_expired as n_active
    from counted
),

hidden as (
    select
        *,
        greatest(n_active, n_applications) < {{ var('k') }} as is_suppressed
    from grouped
),

final as (
    select
        week_on,
        n_days,
        n_days_synced,
        case when not is_suppressed then n_applications end as n_applications,
        {% for n in [
            'n_decisions', 'n_hired', 'n_declined', 'n_vanished', 'n_expired', 'n_waiting', 'n_in_closed_job'
        ] -%}
            case when not is_suppressed and not is_before_first_sync then {{ n }} end as {{ n }},
        {% endfor -%}
        n_days = 7 and n_days_synced > 0 as is_whole,
        is_before_first_sync as is_left_truncated,
        is_suppressed
    from hidden
)

select * from final
