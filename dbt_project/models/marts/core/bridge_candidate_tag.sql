with

{{ link_periods(ref('stg_ats__candidate_tag_versions'), ['candidate_key', 'tag_id'], []) }},

final as (
    select
        candidate_key,
        tag_id,
        period_number,
        observed_from_at,
        observed_to_at
    from periods
)

select * from final
