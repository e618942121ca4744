with

stages as (
    select * from {{ ref('stg_ats__application_stages') }}
),

named as (
    {{ user_map(ref('stage_milestone'), var('stage_milestone_csv'), 'stage_name', 'milestone') }}
),

milestones as (
    select * from {{ ref('int_milestone') }}
),

known as (
    select
        named.stage_name,
        named.milestone
    from named
    inner join milestones on named.milestone = milestones.milestone
),

-- A stage that the map does not name lies somewhere between the fixed ones, so it is INTERIM.
mapped as (
    select
        stages.stage_id,
        stages.stage_name,
        stages.global_index,
        stages.remote_deleted_at,
        coalesce(known.milestone, 'INTERIM') as milestone,
        known.milestone is not null as is_mapped
    from stages
    left join known on {{ name_key('stages.stage_name') }} = known.stage_name
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
    inner join milestones on mapped.milestone = milestones.milestone
)

select * from final
