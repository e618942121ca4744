with

waiting as (
    select * from {{ ref('mart_pipeline_now') }}
),

-- Applications without a stage have no place in the maps, so they come last.
final as (
    select
        milestone,
        n_open,
        n_in_closed_job,
        days_in_stage_p50,
        days_in_stage_p75,
        stuck_after_days,
        n_stuck,
        n_certainly_stuck,
        share_stuck,
        is_suppressed
    from waiting
    where scope = 'milestone'
)

select * from final
order by list_position(['SCREENING', 'INTERIM', 'OFFER', 'HIRED'], milestone) nulls last, milestone
