-- A tag's text is read from the lake's personal files. No table of the warehouse has it. Our id may be a hash of the
-- text, which could be guessed, so readers get a pseudonym.
with

tags as (
    {{ newest_rows('tags') }}
),

texts as (
    select
        id,
        name
    from {{ source('ats_personal', 'tags') }}
),

tag_keys as (
    {{ pseudonyms_of('tags') }}
),

final as (
    select
        tag_keys.pseudonym as tag_id,
        texts.name as tag_name,
        tags.changed_at,
        tags.remote_deleted_at,
        tags.observed_at,
        tags.sync_id
    from tags
    inner join tag_keys on tags.id = tag_keys.id
    left join texts on tags.id = texts.id
)

select * from final
