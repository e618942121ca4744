-- Applications that are followed since they were made. Those of the largest groups only, because an estimate costs up
-- to a second; and only where the syncs leave more than a day open for at least minimum_n ends, because elsewhere the
-- curves at lo and hi say the same. Each cause is estimated, of a first decision too: syncs look for deletions on other
-- days than for changes, so the interval tells something of the cause.
with

subjects as (
    select
        *,
        coalesce(event = 'VANISHED', false) as is_deletion,
        origin_at + to_microseconds(cast(exit_days_hi * 86400e6 as bigint)) as exit_at_hi
    from {{ ref('fct_time_to_event') }}
    where is_at_risk and question in ('decision', 'hire')
),

-- Each whole sync looks for decisions, and only a full one for deletions.
looks as (
    select
        as_of,
        proves_at,
        unnest(if(mode = 'full', [true, false], [false])) as is_for_deletions
    from {{ ref('int_sync') }}
    where verdict = 'committed' and is_applications_whole
),

-- The estimate takes it that the ends of an interval have nothing to do with when the end came. So an interval goes
-- from one look to the next, and not to the source's update time, which often is when the end came.
seen as (
    select
        subjects.question,
        subjects.job_id,
        subjects.source,
        subjects.entry_days,
        subjects.event,
        subjects.exit_days_lo as unseen_days,
        case
            when subjects.event is not null
                then greatest(
                    subjects.exit_days_hi,
                    coalesce({{ days_between('subjects.origin_at', 'looks.proves_at') }}, subjects.exit_days_hi)
                )
        end as seen_days
    from subjects
    asof left join looks
        on subjects.is_deletion = looks.is_for_deletions and subjects.exit_at_hi <= looks.as_of
),

scoped as (
    select
        'overall' as scope,
        'all' as scope_key,
        *
    from seen
    union all
    select
        'job' as scope,
        job_id as scope_key,
        *
    from seen
    where job_id is not null
    union all
    select
        'source' as scope,
        source as scope_key,
        *
    from seen
    where source is not null
),

sizes as (
    select
        question,
        scope,
        scope_key,
        count(*) as n,
        count(*) filter (where entry_days = 0) as n_subjects,
        count(*) filter (where entry_days = 0 and event is not null and seen_days - unseen_days > 1) as n_wide
    from scoped
    group by question, scope, scope_key
),

judged as (
    select
        *,
        {{ is_hidden('n', 'question, scope', 'scope_key') }} as is_hidden,
        row_number() over (partition by question, scope order by n_subjects desc, scope_key asc) as place
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
            else list_position(['HIRED', 'DECLINED', 'VANISHED'], scoped.event) - 1
        end as cause,
        coalesce(round(scoped.unseen_days) >= round(scoped.seen_days), false) as is_narrow,
        cast(if(is_narrow, floor(scoped.unseen_days), round(scoped.unseen_days)) as integer) as from_day,
        cast(if(is_narrow, ceil(scoped.seen_days), round(scoped.seen_days)) as integer) as until_day
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
        {{ var('k') }} as least_persons,
        curves.question = 'decision' as is_summed
    from counted
    inner join curves on counted.curve_number = curves.curve_number
    inner join ends on counted.curve_number = ends.curve_number
)

select * from final
