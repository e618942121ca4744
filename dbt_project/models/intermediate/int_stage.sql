with

stages as (
    select * from {{ ref('stg_ats__application_stages') }}
),

named as (
    select
        lower(trim(stage_name)) as stage_name,
        upper(trim(milestone)) as milestone
    from {{ ref('stage_milestone') }}
),

milestones as (
    select * from {{ ref('int_milestone') }}
),

-- A stage that the seed does not name lies somewhere between the fixed ones.
mapped as (
    select
        stages.stage_id,
        stages.stage_name,
        stages.global_index,
        stages.remote_deleted_at,
        coalesce(named.milestone, 'INTERIM') as milestone,
        named.milestone is not null as is_mapped
    from stages
    left join named on lower(trim(stages.stage_name)) = named.stage_name
),

final as (
    select
        mapped.stage_id,
        mapped.stage_name,
        mapped.global_index,
        mapped.milestone,
        milestones.milestone_rank,
        mapped.is_mapped,
        mapped.remote_deleted_at
    from mapped
    left join milestones on mapped.milestone = milestones.milestone
)

select * from final
