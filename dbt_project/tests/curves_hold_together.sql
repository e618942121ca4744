-- Survival never rises. With the competing incidences it adds up to 1 within 1e-9. A curve lies between its start and
-- its end, and never stands on fewer than minimum_n.
with

curves as (
    select
        *,
        lag(survival) over (partition by question, scope, scope_key, bound order by day) as survival_before
    from {{ ref('int_survival') }}
),

final as (
    select
        question,
        scope,
        scope_key,
        bound,
        day
    from curves
    where
        survival > coalesce(survival_before, 1) + 1e-12
        or abs(
            survival + coalesce(incidence_hired, incidence_moved) + incidence_declined + incidence_vanished - 1
        ) > 1e-9
        or n_at_risk < {{ var('minimum_n') }}
        or day < starts_at_days
        or day - 1 > ends_at_days
)

select * from final
