with

hires as (
    select
        hires.application_key,
        coalesce(hires.job_id, 'unknown') as job_id,
        coalesce(hires.source, 'unknown') as source,
        hires.days_to_hire
    from {{ ref('fct_time_to_hire') }} as hires
    inner join {{ ref('int_follow_up') }} as follow_up on hires.hired_at <= follow_up.followed_until
    where not hires.is_historic and not hires.is_left_truncated
),

scopes as (
    select * from {{ ref('int_scope') }}
),

milestones as (
    select * from {{ ref('int_milestone') }}
    where milestone <> 'HIRED'
),

-- All stays of an application at a milestone, also after it came back.
stays as (
    select
        application_key,
        milestone,
        sum(coalesce(days_in_stage_lo, 0)) as days_lo,
        sum(days_in_stage) as days,
        sum(coalesce(days_in_stage_hi, days_in_stage)) as days_hi
    from {{ ref('fct_stage_visit') }}
    where milestone is not null
    group by application_key, milestone
),

-- What passed between two syncs was seen by nobody: any milestone may have taken it.
seen as (
    select
        hires.application_key,
        greatest(hires.days_to_hire - coalesce(sum(stays.days), 0), 0) as days_unseen
    from hires
    left join stays on hires.application_key = stays.application_key and stays.milestone <> 'HIRED'
    group by hires.application_key, hires.days_to_hire
),

-- Whoever skipped a milestone spent no day there. Means, with that of what was not seen, add up to the days to hire.
-- Medians would not.
spent as (
    select
        hires.job_id,
        hires.source,
        {{ scope_keys('scopes') }},
        hires.days_to_hire,
        seen.days_unseen,
        milestones.milestone,
        milestones.milestone_rank,
        coalesce(stays.days_lo, 0) as days_lo,
        coalesce(stays.days, 0) as days,
        greatest(coalesce(stays.days_hi, 0), coalesce(stays.days, 0) + seen.days_unseen) as days_hi
    from hires
    inner join seen on hires.application_key = seen.application_key
    cross join milestones
    left join scopes on hires.job_id = scopes.job_id and hires.source = scopes.source
    left join stays
        on hires.application_key = stays.application_key and milestones.milestone = stays.milestone
),

counted as (
    select
        {{ funnel_scope() }},
        milestone,
        milestone_rank,
        count(*) as n_hires,
        avg(days_lo) as days_mean_lo,
        avg(days) as days_mean,
        avg(days_hi) as days_mean_hi,
        avg(days_unseen) as days_unseen_mean,
        avg(days_to_hire) as days_to_hire_mean
    from spent
    group by {{ scope_sets(['milestone', 'milestone_rank']) }}
),

-- Before the first hire, the milestones are there and show nothing.
completed as (
    select * from counted
    union all by name
    select
        'overall' as scope,
        'all' as scope_key,
        milestone,
        milestone_rank,
        0 as n_hires
    from milestones
    where not exists (select 1 from hires)
),

small as (
    select
        *,
        {{ is_hidden('n_hires', 'milestone, ' ~ scope_family(), 'scope_key') }} as is_suppressed,
        row_number() over (partition by scope, scope_key order by days_mean desc, milestone_rank asc) = 1 as is_longest
    from completed
),

final as (
    select
        scope,
        scope_key,
        {{ job_of_scope() }} as job_id,
        {{ source_of_scope() }} as source,
        milestone,
        milestone_rank,
        case when not is_suppressed then n_hires end as n_hires,
        {% for column in ['days_mean_lo', 'days_mean', 'days_mean_hi', 'days_unseen_mean', 'days_to_hire_mean'] -%}
            case when not is_suppressed and n_hires >= {{ var('minimum_n') }} then {{ column }} end as {{ column }},
        {% endfor -%}
        case
            when not is_suppressed and n_hires >= {{ var('minimum_n') }} then days_mean / nullif(days_to_hire_mean, 0)
        end as share_of_days,
        case when not is_suppressed and n_hires >= {{ var('minimum_n') }} then days_to_hire_mean - days_mean / 2 end
            as days_to_hire_mean_if_halved,
        case when not is_suppressed and n_hires >= {{ var('minimum_n') }} then is_longest end as is_bottleneck,
        is_suppressed
    from small
)

select * from final
