-- Rows of fct_application = applications ever seen, up to as_of.
with

ever_seen as (
    select distinct versions.application_key
    from {{ ref('stg_ats__application_versions') }} as versions
    inner join {{ ref('stg_ats__syncs') }} as syncs on versions.sync_id = syncs.sync_id
),

final as (
    select
        ever_seen.application_key as seen_key,
        applications.application_key as fact_key
    from ever_seen
    full outer join {{ ref('fct_application') }} as applications
        on ever_seen.application_key = applications.application_key
    where ever_seen.application_key is null or applications.application_key is null
)

select * from final
