-- Applications that are followed since they were made. Those of the largest groups only, because an estimate costs up to
-- a second; and only where the syncs leave more than a day open for at least minimum_n ends, because elsewhere the
-- curves at lo and hi say the same.
with

subjects as (
    select * from {{ ref('fct_time_to_event') }}
    where is_at_risk and question in ('decision', 'hire')
),

scoped as (
    select
        'overall' as scope,
        'all' as scope_key,
        *
    from subjects
    union all
    select
        'job' as scope,
        job_id as scope_key,
        *
    from subjects
    where job_id is not null
    union all
    select
        'source' as scope,
        source as scope_key,
        *
    from subjects
    where source is not null
),

sizes as (
    select
        question,
        scope,
        scope_key,
        count(*) as n,
        count(*) filter (where entry_days = 0) as n_subjects,
        count(*) filter (where entry_days = 0 and event is not null and exit_days_hi - exit_days_lo > 1) as n_wide
    from scoped
    group by question, scope, scope_key
),

judged as (
    select
        *,
        {{ is_hidden('n', 'question, scope', 'scope_key') }} as is_hidden,
        row_number() over (partition by question, scope order by n_subjects desc, scope_key) as place
    from sizes
),

curves as (
    select
        question,
        scope,
        scope_key,
        n_subjects,
        cast(row_number() over (order by question, scope, scope_key) as integer) as curve_number
    from judged
    where
        not is_hidden
        and n_subjects >= {{ var('minimum_n') }}
        and n_wide >= {{ var('minimum_n') }}
        and place <= {{ var('turnbull_groups') }}
),

-- Whole days: an end is on day 1 if it came within 24 hours of the application. The ends of intervals are rounded; an
-- interval that would vanish keeps the days that it touches.
intervals as (
    select
        curves.curve_number,
        case
            when scoped.event is null then -1
            when scoped.question = 'decision' then 0
            else list_position(['HIRED', 'DECLINED', 'VANISHED'], scoped.event) - 1
        end as cause,
        round(scoped.exit_days_lo) >= round(scoped.exit_days_hi) and scoped.event is not null as is_narrow,
        cast(if(is_narrow, floor(scoped.exit_days_lo), round(scoped.exit_days_lo)) as integer) as from_day,
        cast(if(is_narrow, ceil(scoped.exit_days_hi), round(scoped.exit_days_hi)) as integer) as until_day
    from scoped
    inner join curves
        on
            scoped.question = curves.question
            and scoped.scope = curves.scope
            and scoped.scope_key = curves.scope_key
    where scoped.entry_days = 0
),

counted as (
    select
        curve_number,
        cause,
        -- an end at midnight of which lo and hi are the same
        if(cause >= 0, least(from_day, until_day - 1), from_day) as left_day,
        if(cause >= 0, until_day, from_day) as right_day,
        cast(count(*) as double) as n_persons
    from intervals
    group by all
),

-- A curve ends where fewer than the minimum number can still be followed.
followed as (
    select
        *,
        sum(n_persons) over (
            partition by curve_number
            order by right_day desc
            range between unbounded preceding and current row
        ) as n_followed
    from counted
),

ends as (
    select
        curve_number,
        max(right_day) filter (where n_followed >= {{ var('minimum_n') }}) as ends_at_day
    from followed
    group by curve_number
),

final as (
    select
        curves.curve_number,
        curves.question,
        curves.scope,
        curves.scope_key,
        cast(curves.n_subjects as bigint) as n_subjects,
        cast(counted.cause as integer) as cause,
        counted.left_day,
        counted.right_day,
        counted.n_persons,
        ends.ends_at_day,
        {{ var('k') }} as least_persons
    from counted
    inner join curves on counted.curve_number = curves.curve_number
    inner join ends on counted.curve_number = ends.curve_number
)

select * from final
