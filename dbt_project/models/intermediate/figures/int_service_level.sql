with

service_levels as (
    {{ user_rows(
        var('service_level_csv'), {'line_number': 'integer', 'milestone': 'varchar', 'days_allowed': 'integer'}
    ) }}
),

milestones as (
    select * from {{ ref('int_milestone') }}
),

final as (
    select
        milestones.milestone,
        milestones.milestone_rank,
        service_levels.days_allowed
    from service_levels
    inner join milestones on service_levels.milestone = milestones.milestone
)

select * from final
