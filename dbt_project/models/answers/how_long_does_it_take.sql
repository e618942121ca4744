with

speed as (
    select * from {{ ref('mart_speed') }}
),

jobs as (
    select * from {{ ref('dim_job') }}
),

final as (
    select
        speed.metric,
        speed.scope,
        jobs.job_name,
        jobs.city,
        speed.n,
        speed.days_p25,
        speed.days_p50_lo,
        speed.days_p50,
        speed.days_p50_hi,
        speed.days_p75,
        speed.n_historic,
        speed.historic_days_p50_at_most,
        speed.scope_key as job_key,
        speed.is_suppressed
    from speed
    left join jobs on speed.job_id = jobs.job_id
    where speed.period_grain = 'all' and speed.scope in ('overall', 'job')
)

select * from final
order by metric asc, scope desc, n desc nulls last, job_key asc
