-- The chance to move on within the next days, for whoever has stayed at a milestone for a number of days, from the same
-- curves that tell how long stays are: (F(d + window) - F(d)) / S(d). Where a curve ends earlier, its last such chance
-- holds for everybody who has stayed longer.
with

curves as (
    select
        question,
        day,
        n_subjects,
        starts_at_days,
        ends_at_days,
        survival,
        incidence_moved
    from {{ ref('int_survival') }}
    where scope = 'overall' and bound = 'hi' and question <> 'decision' and question <> 'hire'
),

milestones as (
    select * from {{ ref('int_milestone') }}
),

spans as (
    select
        question,
        max(n_subjects) as n_subjects,
        cast(ceil(max(starts_at_days)) as integer) as first_day,
        cast(floor(max(ends_at_days)) as integer) - {{ var('stuck_window_days') }} as last_day
    from curves
    group by question
    having n_subjects >= {{ var('stuck_visits') }} and last_day >= first_day
),

days as (
    select
        question,
        n_subjects,
        last_day,
        unnest(range(first_day, last_day + 1)) as day
    from spans
),

-- A curve's value on a day is that of its last step until then.
chances as (
    select
        days.question,
        days.day,
        days.last_day,
        (coalesce(later.incidence_moved, 0) - coalesce(now.incidence_moved, 0)) / coalesce(now.survival, 1) as chance
    from days
    asof left join curves as now on days.question = now.question and days.day >= now.day
    asof left join curves as later
        on days.question = later.question and days.day + {{ var('stuck_window_days') }} >= later.day
),

-- From here on to the curve's end the chance stays below the threshold.
limits as (
    select
        question,
        coalesce(max(day) filter (where chance >= {{ var('stuck_chance') }}) + 1, min(day)) as stuck_after_days,
        max(last_day) as last_day,
        arg_max(chance, day) as last_chance
    from chances
    group by question
),

final as (
    select
        milestones.milestone,
        coalesce(spans.n_subjects, 0) as n_stays,
        case
            when limits.question is null then cast({{ var('stuck_days') }} as double)
            when limits.stuck_after_days <= limits.last_day then cast(limits.stuck_after_days as double)
        end as stuck_after_days,
        limits.last_chance,
        if(limits.question is null, 'FIXED', 'CHANCE') as stuck_rule
    from milestones
    left join limits on limits.question = 'leave_' || lower(milestones.milestone)
    left join spans on limits.question = spans.question
)

select * from final
