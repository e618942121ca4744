with

curves as (
    select * from {{ ref('int_survival') }}
),

subjects as (
    select
        question,
        job_id,
        source
    from {{ ref('fct_time_to_event') }}
    where is_at_risk
),

sizes as (
    select
        question,
        case when grouping(job_id) = 0 then 'job' else 'source' end as scope,
        coalesce(job_id, source) as scope_key,
        count(*) as n
    from subjects
    group by grouping sets ((question, job_id), (question, source))
),

-- The groups of a scope add up to all, so the next smallest is hidden with a small one.
hidden as (
    select
        question,
        scope,
        scope_key,
        {{ is_hidden('n', 'question, scope', 'scope_key') }} as is_hidden
    from sizes
),

final as (
    select
        curves.question,
        curves.scope,
        curves.scope_key,
        case when curves.scope = 'job' then curves.scope_key end as job_id,
        case when curves.scope = 'source' then curves.scope_key end as source,
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
