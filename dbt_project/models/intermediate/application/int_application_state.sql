{{ config(materialized='view') }}

with

states as (
    select * from {{ ref('stg_ats__application_states') }}
),

milestones as (
    select * from {{ ref('int_milestone') }}
),

final as (
    select
        states.state,
        milestones.milestone_rank,
        states.is_initial
    from states
    left join milestones on states.milestone = milestones.milestone
)

select * from final
