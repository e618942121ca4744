-- A stay that began before the first sync at an unknown time does not show how long stays are.
with

visits as (
    select * from ({{ followed_visits() }}) as followed
    where visit_status = 'completed' and not (is_left_truncated and entered_evidence = 'bounded')
),

milestones as (
    select * from {{ ref('int_milestone') }}
),

counted as (
    select
        milestones.milestone,
        count(visits.days_in_stage) as n_completed,
        quantile_cont(visits.days_in_stage, {{ var('stuck_quantile') }}) as days_quantile
    from milestones
    left join visits on milestones.milestone = visits.milestone
    group by milestones.milestone
),

final as (
    select
        milestone,
        n_completed,
        case when n_completed >= {{ var('stuck_visits') }} then days_quantile else {{ var('stuck_days') }} end
            as stuck_after_days,
        case when n_completed >= {{ var('stuck_visits') }} then 'QUANTILE' else 'FIXED' end as stuck_rule
    from counted
)

select * from final
