{#- Staging of the models that are read twice: their newest rows from `ats`, and all their versions from
    `ats_history`. Each macro is one model, and lists its columns once for both. -#}


{% macro stage_jobs(schema) -%}
with

jobs as (
    {% if schema == 'ats' -%}
    {{ newest_rows('jobs') }}
    {%- else -%}
        select * from {{ source(schema, 'jobs') }}
    {%- endif %}
),

final as (
    select
        id as job_id,
        remote_id as job_remote_id,
        name as job_name,
        status,
        visibility,
        category,
        employment_type,
        experience_level,
        salary_amount,
        salary_amount_from,
        salary_amount_to,
        salary_currency,
        salary_period,
        location['city'] as city,
        location['state'] as region,
        location['country'] as country,
        custom_fields ->> '$.workplaceType' as workplace_type,
        custom_fields ->> '$.language' as job_language,
        custom_fields ->> '$.externalId' as external_id,
        post_url,
        {{ possible_at('opened_at') }} as opened_at,
        {{ possible_at('remote_created_at') }} as remote_created_at,
        {{ possible_update_at('remote_updated_at') }} as remote_updated_at,
        changed_at,
        remote_deleted_at,
        observed_at,
        sync_id{{ ', reason' if schema == 'ats_history' }}
    from jobs
)

select * from final
{%- endmacro %}


{% macro stage_applications(schema) -%}
with

applications as (
    select * from {{ source(schema, 'applications') }}
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
        {{ possible_at('applications.remote_created_at', 'applications.observed_at') }} as remote_created_at,
        {{ possible_update_at('applications.remote_updated_at', 'applications.observed_at') }} as remote_updated_at,
        coalesce(applications.remote_updated_at > applications.observed_at, false) as is_updated_in_the_future,
        applications.changed_at,
        applications.remote_deleted_at,
        applications.observed_at,
        applications.sync_id{{ ', applications.reason' if schema == 'ats_history' }}
    from applications
    left join application_keys on applications.id = application_keys.id
    left join candidate_keys on applications.candidate_id = candidate_keys.id
)

select * from final
{%- endmacro %}


{% macro stage_candidate_tags(schema) -%}
with

candidate_tags as (
    select * from {{ source(schema, 'candidate_tags') }}
),

candidate_keys as (
    {{ pseudonyms_of('candidates') }}
),

tag_keys as (
    {{ pseudonyms_of('tags') }}
),

final as (
    select
        candidate_keys.pseudonym as candidate_key,
        tag_keys.pseudonym as tag_id,
        candidate_tags.changed_at,
        candidate_tags.remote_deleted_at,
        candidate_tags.observed_at,
        candidate_tags.sync_id
    from candidate_tags
    inner join candidate_keys on candidate_tags.candidate_id = candidate_keys.id
    left join tag_keys on candidate_tags.tag_id = tag_keys.id
)

select * from final
{%- endmacro %}


{% macro stage_job_application_stages(schema) -%}
with

job_application_stages as (
    select * from {{ source(schema, 'job_application_stages') }}
),

final as (
    select
        job_id,
        stage_id,
        index as stage_index,
        changed_at,
        remote_deleted_at,
        observed_at,
        sync_id
    from job_application_stages
)

select * from final
{%- endmacro %}


{% macro stage_job_screening_questions(schema) -%}
with

job_screening_questions as (
    select * from {{ source(schema, 'job_screening_questions') }}
),

final as (
    select
        job_id,
        question_id,
        index as question_index,
        required as is_required,
        precondition_question_id,
        precondition_options,
        changed_at,
        remote_deleted_at,
        observed_at,
        sync_id
    from job_screening_questions
)

select * from final
{%- endmacro %}


{% macro stage_job_hiring_team(schema) -%}
with

job_hiring_team as (
    select * from {{ source(schema, 'job_hiring_team') }}
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
{%- endmacro %}
