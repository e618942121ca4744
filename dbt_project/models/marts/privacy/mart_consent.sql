{%- set counts = [
    'n_applications', 'n_given', 'n_rejected', 'n_rejected_kept', 'n_expired', 'n_expired_kept', 'n_requested',
    'n_not_asked', 'n_unknown'
] -%}

with

applications as (
    select
        candidate_key,
        coalesce(job_id, 'unknown') as job_id,
        cast(date_trunc('month', applied_on) as date) as month_on,
        coalesce(upper(consent_status), 'NOT_REQUIRED') as consent,
        not is_deleted as is_kept
    from {{ ref('fct_application') }}
),

counted as (
    select
        if(grouping(job_id) = 0, 'job', 'overall') as scope,
        if(grouping(job_id) = 0, job_id, 'all') as scope_key,
        if(grouping(month_on) = 0, 'month', 'all') as period_grain,
        month_on as period_on,
        count(distinct candidate_key) as n_people,
        count(*) as n_applications,
        count(*) filter (where consent = 'GIVEN') as n_given,
        count(*) filter (where consent = 'REJECTED') as n_rejected,
        count(*) filter (where consent = 'REJECTED' and is_kept) as n_rejected_kept,
        count(*) filter (where consent = 'EXPIRED') as n_expired,
        count(*) filter (where consent = 'EXPIRED' and is_kept) as n_expired_kept,
        count(*) filter (where consent = 'REQUESTED') as n_requested,
        count(*) filter (where consent = 'NOT_REQUIRED') as n_not_asked,
        count(*) filter (
            where consent not in ('GIVEN', 'REJECTED', 'EXPIRED', 'REQUESTED', 'NOT_REQUIRED')
        ) as n_unknown
    from applications
    group by grouping sets ((), (month_on), (job_id), (job_id, month_on))
),

-- Months add up to all, jobs add up to all, and the jobs of a month to the month, as its months do to the job.
small as (
    select
        *,
        n_given + n_rejected + n_expired + n_requested as n_asked,
        {{ is_hidden('n_people', 'scope, period_grain, period_on', 'scope_key') }} as is_hidden_among_jobs,
        {{ is_hidden('n_people', 'scope, period_grain, scope_key', 'period_on') }} as is_hidden_among_months
    from counted
    where n_applications > 0
),

hidden as (
    select
        *,
        is_hidden_among_jobs or is_hidden_among_months as is_suppressed
    from small
),

final as (
    select
        scope,
        scope_key,
        case when scope = 'job' then nullif(scope_key, 'unknown') end as job_id,
        period_grain,
        coalesce(strftime(period_on, '%Y-%m'), 'all') as period_key,
        period_on,
        {% for n in counts -%}
            case when not is_suppressed then {{ n }} end as {{ n }},
        {% endfor -%}
        case when not is_suppressed then {{ rate('n_given', 'n_asked') }} end as share_given,
        {% for end in ['low', 'high'] -%}
            case when not is_suppressed then {{ wilson('n_given', 'n_asked', end) }} end
                as share_given_wilson_{{ end }},
        {% endfor -%}
        is_suppressed
    from hidden
)

select * from final
