with

syncs as (
    select distinct {{ local_date('started_at') }} as date_on
    from {{ ref('int_sync') }}
    where is_proof_of_content
),

bounds as (
    select
        least(min({{ local_date('applied_at') }}), (select min(syncs.date_on) from syncs)) as first_on,
        (select {{ local_date('as_of.as_of') }} from {{ ref('stg_ats__as_of') }} as as_of) as last_on
    from {{ ref('int_application_applied') }}
),

days as (
    select cast(unnest(generate_series(first_on, last_on, interval 1 day)) as date) as date_on
    from bounds
),

final as (
    select
        days.date_on,
        cast(date_trunc('week', days.date_on) as date) as week_on,
        cast(date_trunc('month', days.date_on) as date) as month_on,
        cast(date_trunc('quarter', days.date_on) as date) as quarter_on,
        cast(date_trunc('year', days.date_on) as date) as year_on,
        isodow(days.date_on) as day_of_week,
        isodow(days.date_on) >= 6 as is_weekend,
        syncs.date_on is not null as is_synced
    from days
    left join syncs on days.date_on = syncs.date_on
)

select * from final
