with

job_hiring_team as (
    select * from {{ source('ats_history', 'job_hiring_team') }}
),

user_keys as (
    {{ pseudonyms_of('users') }}
),

final as (
    select
        job_hiring_team.job_id,
        user_keys.pseudonym as user_key,
        job_hiring_team.roles,
        job_hiring_team.changed_at,
        job_hiring_team.remote_deleted_at,
        job_hiring_team.observed_at,
        job_hiring_team.sync_id
    from job_hiring_team
    left join user_keys on job_hiring_team.user_id = user_keys.id
)

select * from final
