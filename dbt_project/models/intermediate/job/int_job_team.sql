{{ config(materialized='view') }}

with

{{ link_periods(ref('stg_ats__job_hiring_team_versions'), ['job_id', 'user_key'], ['roles']) }},

final as (
    select
        job_id,
        user_key,
        period_number,
        roles,
        observed_from_at,
        observed_to_at
    from periods
)

select * from final
