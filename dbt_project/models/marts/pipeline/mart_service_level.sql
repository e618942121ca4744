{%- set past = ['n_stays', 'n_attained', 'n_breached', 'n_certainly_breached', 'n_unknown'] -%}
{%- set open = ['n_open', 'n_in_closed_job', 'n_overdue', 'n_certainly_overdue', 'n_due_soon'] -%}

with

service_levels as (
    select * from {{ ref('int_service_level') }}
),

follow_up as (
    select * from {{ ref('int_follow_up') }}
),

times as (
    select * from {{ ref('fct_time_to_event') }}
),

waiting as (
    select * from {{ ref('mart_service_due') }}
),

curves as (
    select * from {{ ref('fct_survival') }}
    where scope = 'overall' and bound in ('lo', 'hi')
),

-- A stay counts once its allowed days are over at the end of follow-up, whatever became of it: quick stays are known to
-- have ended sooner than slow ones, so younger stays would flatter. Of stays from before the first sync only those
-- that lasted are known, so they do not count.
stays as (
    select
        service_levels.milestone,
        coalesce(times.job_id, 'unknown') as job_id,
        times.exit_days <= service_levels.days_allowed and times.event is not null as is_attained,
        times.exit_days > service_levels.days_allowed as is_breached,
        times.exit_days_lo > service_levels.days_allowed as is_certainly_breached
    from times
    inner join service_levels on times.question = 'leave_' || lower(service_levels.milestone)
    cross join follow_up
    where
        times.is_at_risk
        and coalesce(times.entry_days, 0) <= 0
        and {{ days_between('times.origin_at', 'follow_up.followed_until') }} >= service_levels.days_allowed
),

past as (
    select
        if(grouping(job_id) = 0, 'job', 'overall') as scope,
        coalesce(job_id, 'all') as scope_key,
        milestone,
        count(*) as n_stays,
        count(*) filter (where is_attained) as n_attained,
        count(*) filter (where is_breached) as n_breached,
        count(*) filter (where is_certainly_breached) as n_certainly_breached,
        n_stays - n_attained - n_breached as n_unknown
    from stays
    group by grouping sets ((milestone), (milestone, job_id))
),

open as (
    select
        if(grouping(job_key) = 0, 'job', 'overall') as scope,
        coalesce(job_key, 'all') as scope_key,
        milestone,
        count(*) as n_open,
        count(*) filter (where is_in_closed_job) as n_in_closed_job,
        count(*) filter (where is_overdue) as n_overdue,
        count(*) filter (where is_certainly_overdue) as n_certainly_overdue,
        count(*) filter (where not is_in_closed_job and days_left between 0 and 3) as n_due_soon,
        n_open - n_in_closed_job as n_in_open_job,
        quantile_cont(days_left, 0.5) filter (where not is_in_closed_job) as days_left_p50
    from (
        select
            *,
            coalesce(job_id, 'unknown') as job_key
        from waiting
    ) as keyed
    group by grouping sets ((milestone), (milestone, job_key))
),

past_hidden as (
    select
        *,
        {{ is_hidden('n_stays', 'scope, milestone', 'scope_key') }} as is_past_suppressed
    from past
),

open_hidden as (
    select
        *,
        {{ is_hidden('n_open', 'scope, milestone', 'scope_key') }} as is_suppressed
    from open
),

-- Every milestone with a service level has its row, whether or not anybody was there.
groups as (
    select
        'overall' as scope,
        'all' as scope_key,
        milestone
    from service_levels
    union distinct
    select
        scope,
        scope_key,
        milestone
    from past
    union distinct
    select
        scope,
        scope_key,
        milestone
    from open
),

-- A curve that begins with the arrival and reaches the allowed days counts those, too, who still wait.
told as (
    select
        service_levels.milestone,
        curves.bound,
        1 - coalesce(
            arg_max(curves.survival, curves.day) filter (where curves.day <= service_levels.days_allowed), 1
        ) as share_attained
    from curves
    inner join service_levels on curves.question = 'leave_' || lower(service_levels.milestone)
    group by service_levels.milestone, curves.bound, service_levels.days_allowed
    having
        max(curves.starts_at_days) <= 0
        and min(curves.ends_at_days) >= service_levels.days_allowed
        and max(curves.n_subjects) >= {{ var('k') }}
),

ribbons as (
    select
        'overall' as scope,
        milestone,
        min(share_attained) as curve_attained_lo,
        max(share_attained) as curve_attained_hi
    from told
    group by milestone
),

shown as (
    select
        groups.scope,
        groups.scope_key,
        groups.milestone,
        {% for n in past -%}
            case when not past_hidden.is_past_suppressed then past_hidden.{{ n }} end as {{ n }},
        {% endfor -%}
        {% for n in open + ['n_in_open_job', 'days_left_p50'] -%}
            case when not open_hidden.is_suppressed then open_hidden.{{ n }} end as {{ n }},
        {% endfor -%}
        coalesce(past_hidden.is_past_suppressed, true) as is_past_suppressed,
        coalesce(open_hidden.is_suppressed, true) as is_suppressed
    from groups
    left join past_hidden
        on
            groups.scope = past_hidden.scope
            and groups.scope_key = past_hidden.scope_key
            and groups.milestone = past_hidden.milestone
    left join open_hidden
        on
            groups.scope = open_hidden.scope
            and groups.scope_key = open_hidden.scope_key
            and groups.milestone = open_hidden.milestone
),

final as (
    select
        shown.scope,
        shown.scope_key,
        case when shown.scope = 'job' then nullif(shown.scope_key, 'unknown') end as job_id,
        shown.milestone,
        service_levels.milestone_rank,
        service_levels.days_allowed,
        {% for n in past + open -%}
            shown.{{ n }},
        {% endfor -%}
        {{ rate('shown.n_attained', '(shown.n_attained + shown.n_breached)') }} as share_attained,
        {% for end in ['low', 'high'] -%}
            {{ wilson('shown.n_attained', '(shown.n_attained + shown.n_breached)', end) }}
                as share_attained_wilson_{{ end }},
        {% endfor -%}
        ribbons.curve_attained_lo,
        ribbons.curve_attained_hi,
        case when shown.n_in_open_job >= {{ var('k') }} then shown.days_left_p50 end as days_left_p50,
        shown.is_suppressed,
        shown.is_past_suppressed
    from shown
    inner join service_levels on shown.milestone = service_levels.milestone
    left join ribbons on shown.scope = ribbons.scope and shown.milestone = ribbons.milestone
)

select * from final
