-- Record and sync are the key of version tables; sync, scope and name are the key of what syncs counted. One test is
-- enough for all of them, because load enforces the keys already.
with

{% set models = [
    'users', 'jobs', 'candidates', 'application_stages', 'applications', 'screening_questions', 'tags',
    'candidate_tags', 'job_application_stages', 'job_screening_questions', 'job_hiring_team'
] -%}
rows_by_key as (
    {% for model in models -%}
        select
            '{{ model }}' as table_name,
            concat_ws('/', id, sync_id) as key_text
        from {{ source('ats_history', model) }}
        union all
    {% endfor -%}
    select
        'syncs' as table_name,
        sync_id as key_text
    from {{ source('ats_history', 'syncs') }}
    union all
    select
        'sync_counts' as table_name,
        concat_ws('/', sync_id, scope, name) as key_text
    from {{ source('ats_history', 'sync_counts') }}
),

final as (
    select
        table_name,
        key_text
    from rows_by_key
    group by table_name, key_text
    having count(*) > 1
)

select * from final
