with

versions as (
    select distinct source
    from {{ ref('stg_ats__application_versions') }}
    where source is not null
),

channels as (
    {{ user_map(ref('source_channel'), var('source_channel_csv'), 'source', 'channel') }}
),

-- Brackets name a product of a board: "indeed (Limited)" counts as indeed, unless the map names it itself.
final as (
    select
        versions.source,
        coalesce(exact.channel, boards.channel, 'OTHER') as channel,
        coalesce(exact.channel, boards.channel) is not null as is_mapped
    from versions
    left join channels as exact on {{ name_key('versions.source') }} = exact.source
    left join channels as boards
        on {{ name_key("regexp_replace(versions.source, '\\s*\\([^)]*\\)\\s*$', '')") }} = boards.source
)

select * from final
