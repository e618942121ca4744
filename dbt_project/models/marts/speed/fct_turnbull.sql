with

told as (
    select * from {{ ref('int_turnbull_curve') }}
),

curves as (
    select distinct
        curve_number,
        question,
        scope,
        scope_key,
        n_subjects,
        ends_at_day
    from {{ ref('int_turnbull_interval') }}
),

final as (
    select
        curves.question,
        curves.scope,
        curves.scope_key,
        case when curves.scope = 'job' then curves.scope_key end as job_id,
        case when curves.scope = 'source' then curves.scope_key end as source,
        if(curves.question = 'decision', 'DECIDED', ['HIRED', 'DECLINED', 'VANISHED'][told.cause + 1]) as event,
        told.day,
        curves.n_subjects,
        curves.ends_at_day,
        told.incidence_least,
        told.incidence,
        told.incidence_most
    from told
    inner join curves on told.curve_number = curves.curve_number
    where curves.n_subjects >= {{ var('k') }}
)

select * from final
