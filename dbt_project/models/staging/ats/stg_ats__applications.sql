with

applications as (
    select * from {{ source('ats', 'applications') }}
),

application_keys as (
    {{ pseudonyms_of('applications') }}
),

candidate_keys as (
    {{ pseudonyms_of('candidates') }}
),

final as (
    select
        application_keys.pseudonym as application_key,
        candidate_keys.pseudonym as candidate_key,
        applications.job_id,
        applications.current_stage_id,
        applications.outcome,
        applications.state,
        applications.source,
        applications.is_premium_source,
        applications.qualified,
        applications.consent_status,
        applications.integration_external_id,
        applications.remote_created_at,
        applications.remote_updated_at,
        applications.changed_at,
        applications.remote_deleted_at,
        applications.observed_at,
        applications.sync_id
    from applications
    left join application_keys on applications.id = application_keys.id
    left join candidate_keys on applications.candidate_id = candidate_keys.id
)

select * from final
