with

stays as (
    select * from {{ ref('mart_time_in_stage') }}
),

final as (
    select
        milestone,
        visit_status,
        n_visits,
        n_applications,
        n_in_closed_job,
        days_p25,
        days_p50_lo,
        days_p50,
        days_p50_hi,
        days_p75,
        days_p90,
        is_suppressed
    from stays
    where scope = 'overall'
)

select * from final
order by list_position(['SCREENING', 'INTERIM', 'OFFER', 'HIRED'], milestone) nulls last, milestone, visit_status
