with

allowed as (
    {{ user_rows(var('published_tags_csv'), {'line_number': 'integer', 'tag_name': 'varchar'}) }}
),

final as (
    select distinct {{ name_key('tag_name') }} as tag_name_key
    from allowed
)

select * from final
