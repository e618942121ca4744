with

teams as (
    select
        job_id,
        user_key,
        unnest(if(len(coalesce(roles, [])) = 0, ['UNKNOWN'], [coalesce(role, 'UNKNOWN') for role in roles])) as role,
        observed_from_at,
        observed_to_at
    from {{ ref('int_job_team') }}
),

job_statuses as (
    select * from {{ ref('int_job_status') }}
    where is_open or status in ('ARCHIVED', 'CLOSED', 'DELETED')
),

as_of as (
    select as_of from {{ ref('stg_ats__as_of') }}
),

-- A week is shown as of its end, and the last one as of now. It ends at Monday's midnight in the configured time zone.
weeks as (
    select
        dates.week_on,
        max(dates.date_on) as last_on,
        least(
            timezone('{{ var("time_zone") }}', cast(max(dates.date_on) + 1 as timestamp)), any_value(as_of.as_of)
        ) as ends_at
    from {{ ref('dim_date') }} as dates
    cross join as_of
    group by dates.week_on
),

-- The time that a member was on the team of a job that was open, and of one that was closed.
spells as (
    select
        teams.role,
        teams.user_key,
        teams.job_id,
        job_statuses.is_open,
        greatest(teams.observed_from_at, job_statuses.from_at) as from_at,
        least(
            coalesce(teams.observed_to_at, 'infinity'), coalesce(job_statuses.until_at, 'infinity')
        ) as to_at
    from teams
    inner join job_statuses on teams.job_id = job_statuses.job_id
),

weeks_of_spells as (
    select
        spells.role,
        spells.user_key,
        spells.job_id,
        spells.is_open,
        cast(
            unnest(
                generate_series(
                    date_trunc('week', {{ local_date('spells.from_at') }}),
                    date_trunc('week', {{ local_date('least(spells.to_at, as_of.as_of)') }}),
                    interval 7 day
                )
            ) as date
        ) as week_on,
        spells.from_at,
        spells.to_at
    from spells
    cross join as_of
    where spells.from_at < spells.to_at
),

waiting as (
    select
        daily.job_id,
        weeks.week_on,
        sum(daily.n_closing) as n
    from {{ ref('fct_funnel_daily') }} as daily
    inner join weeks on daily.date_on = weeks.last_on
    group by daily.job_id, weeks.week_on
),

-- A closed job counts for those who still wait in it.
loads as (
    select distinct
        weeks_of_spells.week_on,
        weeks_of_spells.role,
        weeks_of_spells.user_key,
        weeks_of_spells.job_id,
        weeks_of_spells.is_open,
        coalesce(waiting.n, 0) as n_waiting
    from weeks_of_spells
    inner join weeks on weeks_of_spells.week_on = weeks.week_on
    left join waiting
        on weeks_of_spells.job_id = waiting.job_id and weeks_of_spells.week_on = waiting.week_on
    where
        weeks_of_spells.from_at <= weeks.ends_at
        and weeks_of_spells.to_at > weeks.ends_at
        and (weeks_of_spells.is_open or waiting.n > 0)
),

-- A job with two recruiters counts once in that role.
jobs as (
    select
        week_on,
        role,
        job_id,
        is_open,
        any_value(n_waiting) as n_waiting
    from loads
    group by week_on, role, job_id, is_open
),

members as (
    select
        week_on,
        role,
        count(distinct user_key) filter (where is_open) as n_members
    from loads
    group by week_on, role
),

by_role as (
    select
        jobs.week_on,
        jobs.role,
        'all' as member_key,
        any_value(members.n_members) as n_members,
        count(*) filter (where jobs.is_open) as n_open_jobs,
        {{ sum_where('jobs.n_waiting', 'jobs.is_open') }} as n_open_applications,
        {{ sum_where('jobs.n_waiting', 'not jobs.is_open') }} as n_in_closed_job
    from jobs
    inner join members on jobs.week_on = members.week_on and jobs.role = members.role
    group by jobs.week_on, jobs.role
),

by_person as (
    select
        week_on,
        role,
        user_key as member_key,
        1 as n_members,
        count(*) filter (where is_open) as n_open_jobs,
        {{ sum_where('n_waiting', 'is_open') }} as n_open_applications,
        {{ sum_where('n_waiting', 'not is_open') }} as n_in_closed_job
    from loads
    where {{ var('per_person') }}
    group by week_on, role, user_key
),

-- The load of a role that few people have is theirs.
final as (
    select * from by_role
    where not {{ var('works_council') }} or n_members >= {{ var('k') }}
    union all
    select * from by_person
)

select * from final
