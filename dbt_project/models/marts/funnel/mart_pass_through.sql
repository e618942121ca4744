{%- set ages = [30, 60, 90] -%}

with

curves as (
    select * from {{ ref('fct_survival') }}
    where question in ('leave_screening', 'leave_interim', 'leave_offer') and scope not in ('job', 'job_source')
),

milestones as (
    select * from {{ ref('int_milestone') }}
),

ages as (
    select unnest({{ ages }}) as age_days
),

spans as (
    select
        question,
        scope,
        scope_key,
        any_value(source) as source,
        max(n_subjects) as n_subjects,
        max(starts_at_days) as starts_at_days,
        min(ends_at_days) as ends_at_days
    from curves
    group by question, scope, scope_key
),

-- Only a curve that begins with the arrival at the milestone, and reaches the age, says what happens by then. Its value
-- is that of its last step until then.
told as (
    select
        spans.question,
        spans.scope,
        spans.scope_key,
        any_value(spans.source) as source,
        any_value(spans.n_subjects) as n_subjects,
        ages.age_days,
        curves.bound,
        {% for column in ['incidence_moved', 'incidence_moved_low', 'incidence_moved_high'] -%}
            arg_max(curves.{{ column }}, curves.day) filter (where curves.day <= ages.age_days) as {{ column }},
        {% endfor -%}
        arg_max(curves.survival, curves.day) filter (where curves.day <= ages.age_days) as survival
    from spans
    cross join ages
    inner join curves
        on
            spans.question = curves.question
            and spans.scope = curves.scope
            and spans.scope_key = curves.scope_key
            and curves.bound in ('lo', 'hi')
    where
        spans.starts_at_days <= 0
        and spans.ends_at_days >= ages.age_days
        and spans.n_subjects >= {{ var('k') }}
    group by spans.question, spans.scope, spans.scope_key, ages.age_days, curves.bound
),

final as (
    select
        milestones.milestone,
        milestones.milestone_rank,
        told.scope,
        told.scope_key,
        any_value(told.source) as source,
        told.age_days,
        any_value(told.n_subjects) as n_subjects,
        coalesce(min(told.incidence_moved), 0) as moved_on_lo,
        coalesce(max(told.incidence_moved) filter (where told.bound = 'hi'), 0) as moved_on,
        coalesce(max(told.incidence_moved), 0) as moved_on_hi,
        min(told.incidence_moved_low) as moved_on_low,
        max(told.incidence_moved_high) as moved_on_high,
        coalesce(max(told.survival) filter (where told.bound = 'hi'), 1) as still_waiting
    from told
    inner join milestones on told.question = 'leave_' || lower(milestones.milestone)
    group by milestones.milestone, milestones.milestone_rank, told.scope, told.scope_key, told.age_days
)

select * from final
