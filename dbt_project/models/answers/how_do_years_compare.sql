with

months as (
    select * from {{ ref('mart_seasonality') }}
),

final as (
    select
        calendar_year,
        calendar_month,
        n_applications,
        n_applications_year_before,
        round(change_of_applications, 3) as change_of_applications,
        n_hires,
        n_hires_year_before,
        is_whole
    from months
    where not is_suppressed
)

select * from final
order by calendar_month, calendar_year
