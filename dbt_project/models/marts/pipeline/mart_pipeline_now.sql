{#- Milestones add up to all open applications, a milestone's stages to the milestone, a stage's jobs to the stage, and
    a milestone's groups of each other scope to the milestone. -#}
{%- set groups = scopes().keys() | reject('eq', 'job') | list -%}
{%- set family = scope_family() ~ ", if(scope = 'milestone', null, milestone), if(scope = 'job', stage_id, null)" -%}

with

ageing as (
    select
        coalesce(milestone, 'UNKNOWN') as milestone,
        coalesce(stage_id, 'unknown') as stage_id,
        coalesce(job_id, 'unknown') as job_id,
        coalesce(source, 'unknown') as source,
        days_in_stage,
        is_in_closed_job,
        is_stuck,
        is_certainly_stuck
    from {{ ref('mart_pipeline_ageing') }}
),

scopes as (
    select * from {{ ref('int_scope') }}
),

scoped as (
    select
        ageing.*,
        {{ scope_keys('scopes') }}
    from ageing
    left join scopes on ageing.job_id = scopes.job_id and ageing.source = scopes.source
),

rules as (
    select * from {{ ref('int_stuck_rule') }}
),

counted as (
    select
        case
            when grouping(job_id) = 0 then 'job'
            when grouping(stage_id) = 0 then 'stage'
            {% for scope in groups -%}
                when grouping({{ scopes()[scope] }}) = 0 then '{{ scope }}'
            {% endfor -%}
            else 'milestone'
        end as scope,
        case
            when grouping(job_id) = 0 then job_id
            when grouping(stage_id) = 0 then stage_id
            {% for scope in groups -%}
                when grouping({{ scopes()[scope] }}) = 0 then {{ scopes()[scope] }}
            {% endfor -%}
            else 'all'
        end as scope_key,
        milestone,
        coalesce(stage_id, 'all') as stage_id,
        coalesce(job_id, 'all') as job_id,
        count(*) as n_open,
        count(*) filter (where is_in_closed_job) as n_in_closed_job,
        count(*) filter (where is_stuck) as n_stuck,
        count(*) filter (where is_certainly_stuck) as n_certainly_stuck,
        n_open - n_in_closed_job as n_in_open_job,
        quantile_cont(days_in_stage, 0.5) filter (where not is_in_closed_job) as days_p50,
        quantile_cont(days_in_stage, 0.75) filter (where not is_in_closed_job) as days_p75
    from scoped
    group by
        grouping sets (
            (milestone),
            (milestone, stage_id),
            {% for scope in groups -%}
                (milestone, {{ scopes()[scope] }}),
            {% endfor -%}
            (milestone, stage_id, job_id)
        )
    having
        {% for scope in told_scopes() -%}
            {{ 'and ' if not loop.first -}}
            (grouping({{ scopes()[scope] }}) = 1 or {{ scopes()[scope] }} is not null)
        {% endfor %}
),

small as (
    select
        *,
        {{ is_hidden('n_open', family, 'milestone, stage_id, job_id, scope_key') }} as is_hidden
    from counted
),

-- The parts of a hidden group are hidden, too, because they add up to it.
hidden as (
    select
        *,
        is_hidden
        or bool_or(is_hidden and scope = 'milestone') over (partition by milestone)
        or bool_or(is_hidden and scope = 'stage') over (partition by milestone, stage_id) as is_suppressed
    from small
),

final as (
    select
        hidden.scope,
        hidden.scope_key,
        hidden.milestone,
        hidden.stage_id as stage_key,
        hidden.job_id as job_key,
        nullif(nullif(hidden.stage_id, 'all'), 'unknown') as stage_id,
        nullif(nullif(hidden.job_id, 'all'), 'unknown') as job_id,
        rules.stuck_rule,
        rules.stuck_after_days,
        {% for n in ['n_open', 'n_in_closed_job', 'n_stuck', 'n_certainly_stuck'] -%}
            case when not hidden.is_suppressed then hidden.{{ n }} end as {{ n }},
        {% endfor -%}
        case when not hidden.is_suppressed then {{ rate('hidden.n_stuck', 'hidden.n_in_open_job') }} end as share_stuck,
        {% for end in ['low', 'high'] -%}
            case when not hidden.is_suppressed then {{ wilson('hidden.n_stuck', 'hidden.n_in_open_job', end) }} end
                as share_stuck_wilson_{{ end }},
        {% endfor -%}
        case when not hidden.is_suppressed and hidden.n_in_open_job >= {{ var('k') }} then hidden.days_p50 end
            as days_in_stage_p50,
        case when not hidden.is_suppressed and hidden.n_in_open_job >= {{ var('minimum_n') }} then hidden.days_p75 end
            as days_in_stage_p75,
        hidden.is_suppressed
    from hidden
    left join rules on hidden.milestone = rules.milestone
)

select * from final
