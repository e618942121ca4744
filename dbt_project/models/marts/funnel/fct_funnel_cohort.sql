with

counts as (
    select * from {{ ref('int_funnel_cohort') }}
),

suppressed as (
    select * from {{ ref('int_funnel_suppression') }}
),

shown as (
    select
        counts.cohort_grain,
        counts.cohort_on,
        counts.scope,
        counts.scope_key,
        counts.milestone,
        counts.milestone_rank,
        counts.n_left_truncated > 0 as is_left_truncated,
        suppressed.is_suppressed,
        {% for n in [
            'n_cohort', 'n_unknown', 'n_reached_observed', 'n_reached_assumed', 'n_moved_on', 'n_out', 'n_waiting', 'n_in_closed_job',
            'n_expired', 'n_hired', 'n_declined', 'n_vanished'
        ] %}
        case when not suppressed.is_suppressed then counts.{{ n }} end as {{ n }}{{ ',' if not loop.last }}
    {% endfor %}
    from counts
    inner join suppressed
        on
            counts.cohort_grain = suppressed.cohort_grain
            and counts.cohort_on = suppressed.cohort_on
            and counts.scope = suppressed.scope
            and counts.scope_key = suppressed.scope_key
),

-- The denominator of each rate. Nothing lies beyond the last milestone, so it has no rates.
based as (
    select
        *,
        case when milestone <> 'HIRED' then n_moved_on + n_out end as n_mature,
        case when milestone <> 'HIRED' then n_reached_assumed end as n_passable,
        case when milestone = 'OFFER' then n_hired + n_declined + n_vanished end as n_offers_resolved
    from shown
),

final as (
    select
        cohort_grain,
        cohort_on,
        scope,
        scope_key,
        {{ job_of_scope() }} as job_id,
        {{ source_of_scope() }} as source,
        milestone,
        milestone_rank,
        n_cohort,
        n_unknown,
        n_reached_observed,
        n_reached_assumed,
        n_moved_on,
        n_out,
        n_waiting,
        n_in_closed_job,
        n_expired,
        {{ rate('n_moved_on', 'n_mature') }} as pass_through,
        {{ wilson('n_moved_on', 'n_mature', 'low') }} as pass_through_wilson_low,
        {{ wilson('n_moved_on', 'n_mature', 'high') }} as pass_through_wilson_high,
        {{ rate('n_moved_on', 'n_passable') }} as pass_through_low,
        {{ rate('(n_moved_on + n_waiting + n_expired)', 'n_passable') }} as pass_through_high,
        {{ rate('n_hired', 'n_offers_resolved') }} as offer_stage_conversion,
        {{ wilson('n_hired', 'n_offers_resolved', 'low') }} as offer_stage_conversion_wilson_low,
        {{ wilson('n_hired', 'n_offers_resolved', 'high') }} as offer_stage_conversion_wilson_high,
        is_left_truncated,
        is_suppressed
    from based
)

select * from final
