with

curves as (
    select * from {{ ref('int_survival') }}
),

scopes as (
    select * from {{ ref('int_scope') }}
),

subjects as (
    select
        events.question,
        events.job_id,
        events.source,
        {{ scope_keys('scopes') }}
    from {{ ref('fct_time_to_event') }} as events
    left join scopes
        on coalesce(events.job_id, 'unknown') = scopes.job_id and coalesce(events.source, 'unknown') = scopes.source
    where events.is_at_risk
),

sizes as (
    select
        question,
        {{ funnel_scope() }},
        count(*) as n
    from subjects
    group by {{ scope_sets(['question']) }}
),

-- The groups of a scope add up to all, so the next smallest is hidden with a small one.
hidden as (
    select
        question,
        scope,
        scope_key,
        {{ is_hidden('n', 'question, ' ~ scope_family(), 'scope_key') }} as is_hidden
    from sizes
    where scope <> 'overall'
),

final as (
    select
        curves.question,
        curves.scope,
        curves.scope_key,
        {{ job_of_scope('curves.scope', 'curves.scope_key') }} as job_id,
        {{ source_of_scope('curves.scope', 'curves.scope_key') }} as source,
        curves.bound,
        curves.day,
        curves.n_subjects,
        curves.starts_at_days,
        curves.ends_at_days,
        {% for end in ['low', 'high'] -%}
            {{ log_log('curves.survival', 'curves.survival_std_error', end) }} as survival_{{ end }},
        {% endfor -%}
        {% for cause in ['hired', 'declined', 'vanished', 'moved'] -%}
            curves.incidence_{{ cause }},
            curves.incidence_{{ cause }}_std_error,
            {% for end in ['low', 'high'] -%}
                {{ log_log('curves.incidence_' ~ cause, 'curves.incidence_' ~ cause ~ '_std_error', end) }}
                    as incidence_{{ cause }}_{{ end }},
            {% endfor -%}
        {% endfor -%}
        curves.n_at_risk,
        curves.n_events,
        curves.survival,
        curves.survival_std_error
    from curves
    left join hidden
        on
            curves.question = hidden.question
            and curves.scope = hidden.scope
            and curves.scope_key = hidden.scope_key
    where not coalesce(hidden.is_hidden, false) and curves.scope <> 'source_quarter'
)

select * from final
