with

candidate_tags as (
    select * from {{ source('ats_history', 'candidate_tags') }}
),

candidate_keys as (
    {{ pseudonyms_of('candidates') }}
),

final as (
    select
        candidate_keys.pseudonym as candidate_key,
        candidate_tags.tag_id,
        candidate_tags.changed_at,
        candidate_tags.remote_deleted_at,
        candidate_tags.observed_at,
        candidate_tags.sync_id
    from candidate_tags
    left join candidate_keys on candidate_tags.candidate_id = candidate_keys.id
)

select * from final
