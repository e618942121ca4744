with

tags as (
    select * from {{ ref('stg_ats__tags') }}
),

carried as (
    select
        tag_id,
        count(distinct candidate_key) as n_carrying
    from {{ ref('stg_ats__candidate_tags') }}
    where remote_deleted_at is null
    group by tag_id
),

published as (
    select * from {{ ref('int_published_tag') }}
),

-- A tag is an opinion about people: its text is shown only if the company allows it and a group carries it.
final as (
    select
        tags.tag_id,
        case
            when published.tag_name_key is not null and carried.n_carrying >= {{ var('k') }} then tags.tag_name
        end as tag_name,
        tags.remote_deleted_at is not null as is_deleted
    from tags
    left join carried on tags.tag_id = carried.tag_id
    left join published on {{ name_key('tags.tag_name') }} = published.tag_name_key
)

select * from final
