with

job_stages as (
    select * from {{ ref('stg_ats__job_application_stages') }}
),

-- The stage's place as last seen by as_of. A tombstone shows no place.
places as (
    select
        job_id,
        stage_id,
        arg_max(stage_index, sync_id) as stage_index
    from {{ ref('stg_ats__job_application_stage_versions') }}
    where sync_id in (select syncs.sync_id from {{ ref('stg_ats__syncs') }} as syncs)
    group by job_id, stage_id
),

stages as (
    select * from {{ ref('int_stage') }}
),

first_milestone as (
    select
        milestone,
        milestone_rank
    from {{ ref('int_milestone') }}
    where milestone_rank = 1
),

-- A job's pipeline begins at index 0: whatever that stage is called, nobody has passed anything to be there. Two stages
-- of a job can share an index for a while, when the job's pipeline was edited between two fetches.
final as (
    select
        job_stages.job_id,
        job_stages.stage_id,
        places.stage_index,
        places.stage_index = 0 as is_first,
        if(places.stage_index = 0, first_milestone.milestone, stages.milestone) as milestone,
        if(places.stage_index = 0, first_milestone.milestone_rank, stages.milestone_rank) as milestone_rank,
        row_number() over (
            partition by job_stages.job_id
            order by places.stage_index, stages.milestone_rank, stages.global_index, job_stages.stage_id
        ) as stage_rank
    from job_stages
    inner join places on job_stages.job_id = places.job_id and job_stages.stage_id = places.stage_id
    left join stages on job_stages.stage_id = stages.stage_id
    cross join first_milestone
)

select * from final
