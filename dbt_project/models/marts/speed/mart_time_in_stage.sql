with

visits as (
    {{ followed_visits() }}
),

scopes as (
    select * from {{ ref('int_scope') }}
),

applications as (
    select * from {{ ref('fct_application') }}
),

-- An open visit has lasted at least until the last sync that proves it. Visits that began before the first sync at an
-- unknown time are left out. Other visits from before it are survivors, and are counted apart.
stays as (
    select
        visits.application_key,
        coalesce(visits.milestone, 'UNKNOWN') as milestone,
        visits.visit_status,
        coalesce(applications.job_id, 'unknown') as job_id,
        coalesce(applications.source, 'unknown') as source,
        visits.days_in_stage_lo as days_lo,
        coalesce(visits.days_in_stage, {{ days_between('visits.entered_at', 'visits.known_until_at') }})
            as days,
        coalesce(visits.days_in_stage_hi, {{ days_between('visits.entered_at_lo', 'visits.known_until_at') }})
            as days_hi,
        visits.is_left_truncated,
        -- one visit of each application, which counts it: counting distinct keys takes twice the memory
        row_number() over (
            partition by visits.application_key, coalesce(visits.milestone, 'UNKNOWN'), visits.visit_status
            order by visits.visit_number
        ) = 1 as is_first,
        visits.visit_status = 'open' and applications.status in ('OPEN', 'UNKNOWN') and applications.is_in_closed_job
            as is_in_closed_job,
        {{ scope_keys('scopes') }}
    from visits
    inner join applications on visits.application_key = applications.application_key
    left join scopes
        on
            coalesce(applications.job_id, 'unknown') = scopes.job_id
            and coalesce(applications.source, 'unknown') = scopes.source
    where not (visits.is_left_truncated and visits.entered_evidence = 'bounded')
),

counted as (
    select
        {{ funnel_scope() }},
        milestone,
        visit_status,
        {{ quantile_bands([25, 50, 75, 90], 'days_lo', 'days', 'days_hi') }},
        count(*) as n_visits,
        count(*) filter (where is_first) as n_applications,
        count(*) filter (where is_in_closed_job) as n_in_closed_job,
        count(*) filter (where is_left_truncated) as n_left_truncated
    from stays
    group by {{ scope_sets(['milestone', 'visit_status']) }}
),

small as (
    select
        *,
        {{ is_hidden('n_applications', 'milestone, visit_status, ' ~ scope_family(), 'scope_key') }} as is_hidden
    from counted
),

-- The parts of a hidden group are hidden, too, because they add up to it.
hidden as (
    select
        *,
        is_hidden or bool_or(is_hidden and scope = 'overall') over (partition by milestone, visit_status)
            as is_suppressed
    from small
),

final as (
    select
        scope,
        scope_key,
        {{ job_of_scope() }} as job_id,
        {{ source_of_scope() }} as source,
        milestone,
        visit_status,
        case when not is_suppressed then n_visits end as n_visits,
        case when not is_suppressed then n_applications end as n_applications,
        case when not is_suppressed then n_in_closed_job end as n_in_closed_job,
        case when not is_suppressed then n_left_truncated end as n_left_truncated,
        {% for quantile in [25, 50, 75, 90] -%}
            {% set place = loop.index -%}
            {% for suffix in ['_lo', '', '_hi'] -%}
                case
                    when not is_suppressed {%- if quantile != 50 %} and n_visits >= {{ var('minimum_n') }} {%- endif %}
                        then quantiles{{ suffix }}[{{ place }}]
                end as days_p{{ quantile }}{{ suffix }},
            {% endfor -%}
        {% endfor -%}
        is_suppressed
    from hidden
)

select * from final
