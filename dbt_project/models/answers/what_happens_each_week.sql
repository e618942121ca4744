with

weeks as (
    select * from {{ ref('mart_weekly_trend') }}
),

final as (
    select
        week_on,
        n_applications,
        n_hired,
        n_declined,
        n_vanished,
        n_waiting,
        n_in_closed_job,
        is_whole,
        is_left_truncated,
        is_suppressed
    from weeks
)

select * from final
order by week_on desc
