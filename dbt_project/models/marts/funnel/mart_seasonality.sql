with

applications as (
    select
        cast(date_trunc('month', applied_on) as date) as month_on,
        is_left_truncated
    from {{ ref('fct_application') }}
),

hires as (
    select
        cast(date_trunc('month', hired_on) as date) as month_on,
        not is_historic as is_observed
    from {{ ref('fct_time_to_hire') }}
),

as_of as (
    select cast(date_trunc('month', {{ local_date('as_of') }}) as date) as month_on
    from {{ ref('stg_ats__as_of') }}
),

months as (
    select distinct cast(date_trunc('month', date_on) as date) as month_on
    from {{ ref('dim_date') }}
),

applied as (
    select
        month_on,
        count(*) as n,
        bool_or(is_left_truncated) as is_left_truncated
    from applications
    group by month_on
),

hired as (
    select
        month_on,
        count(*) filter (where is_observed) as n
    from hires
    group by month_on
),

-- The month of the last sync is not over, and is compared with no other.
counted as (
    select
        months.month_on,
        coalesce(applied.n, 0) as n_applications,
        coalesce(hired.n, 0) as n_hires,
        coalesce(applied.is_left_truncated, false) as is_left_truncated,
        months.month_on < as_of.month_on as is_whole
    from months
    cross join as_of
    left join applied on months.month_on = applied.month_on
    left join hired on months.month_on = hired.month_on
),

hidden as (
    select
        *,
        n_applications < {{ var('k') }} as is_suppressed,
        n_hires > 0 and n_hires < {{ var('k') }} as is_hires_suppressed
    from counted
),

shown as (
    select
        month_on,
        case when not is_suppressed then n_applications end as n_applications,
        case when not is_suppressed and not is_hires_suppressed then n_hires end as n_hires,
        is_left_truncated,
        is_whole,
        is_suppressed
    from hidden
),

-- Before the first sync only survivors are known, so a month of then is no year's measure.
final as (
    select
        this.month_on,
        cast(year(this.month_on) as integer) as calendar_year,
        cast(month(this.month_on) as integer) as calendar_month,
        this.n_applications,
        this.n_hires,
        before.n_applications as n_applications_year_before,
        before.n_hires as n_hires_year_before,
        case
            when this.is_whole and not before.is_left_truncated and before.n_applications >= {{ var('minimum_n') }}
                then this.n_applications / cast(before.n_applications as double) - 1
        end as change_of_applications,
        this.is_whole,
        this.is_left_truncated,
        this.is_suppressed
    from shown as this
    left join shown as before on this.month_on = cast(before.month_on + interval 1 year as date)
)

select * from final
