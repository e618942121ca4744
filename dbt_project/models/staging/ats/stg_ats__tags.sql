-- A tag's text is read from the lake's personal files. No table of the warehouse has it.
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

final as (
    select
        tags.id as tag_id,
        texts.name as tag_name,
        tags.changed_at,
        tags.remote_deleted_at,
        tags.observed_at,
        tags.sync_id
    from tags
    left join texts on tags.id = texts.id
)

select * from final
