with

sources as (
    select * from {{ ref('mart_source_effectiveness') }}
),

final as (
    select
        source_key,
        channel,
        n_applications,
        n_unknown,
        n_waiting,
        n_in_closed_job,
        n_hired,
        hire_rate,
        hire_rate_wilson_low,
        hire_rate_wilson_high,
        hire_rate_low,
        hire_rate_high,
        n_qualified,
        n_qualification_known,
        share_qualified,
        share_qualified_wilson_low,
        share_qualified_wilson_high,
        days_to_decision_p50_lo,
        days_to_decision_p50_hi,
        is_left_truncated,
        is_suppressed
    from sources
    where period_grain = 'all'
)

select * from final
order by n_hired desc nulls last, n_applications desc nulls last, source_key asc
