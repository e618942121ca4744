with

applications as (
    select * from {{ ref('fct_application') }}
),

jobs as (
    select * from {{ ref('stg_ats__jobs') }}
),

as_of as (
    select as_of from {{ ref('stg_ats__as_of') }}
),

policies as (
    {{ user_map(ref('retention_policy'), var('retention_policy_csv'), 'country', 'months') }}
),

-- A country without a policy of its own gets the strictest policy.
strictest as (
    select min(cast(months as integer)) as months
    from policies
),

-- The data of a candidate who still waits elsewhere, or was hired, is still needed.
candidates as (
    select
        candidate_key,
        bool_or(status in ('OPEN', 'UNKNOWN', 'HIRED') and not is_deleted) as is_needed
    from applications
    group by candidate_key
),

-- The period begins with the latest possible instant of the decision. That keeps data longer, by the width of an
-- interval.
ruled as (
    select
        applications.application_key,
        applications.candidate_key,
        applications.job_id,
        jobs.country,
        applications.status,
        if(applications.status = 'EXPIRED', applications.deleted_at_lo, applications.decided_at_lo) as decided_at_lo,
        if(applications.status = 'EXPIRED', applications.deleted_at_hi, applications.decided_at_hi) as decided_at_hi,
        coalesce(cast(policies.months as integer), strictest.months) as retention_months,
        policies.months is not null as is_mapped,
        case applications.status
            when 'DECLINED' then 'after the decision'
            when 'VANISHED' then 'after the deletion at JOIN'
            when 'EXPIRED' then 'after the deletion at JOIN'
            when 'HIRED' then 'none: hired'
            when 'OPEN' then 'none: undecided'
            else 'none: outcome not known'
        end as rule,
        applications.is_deleted,
        coalesce(candidates.is_needed, false) as is_candidate_needed
    from applications
    cross join strictest
    left join jobs on applications.job_id = jobs.job_id
    left join policies on {{ name_key('jobs.country') }} = policies.country
    left join candidates on applications.candidate_key = candidates.candidate_key
),

dated as (
    select
        *,
        case
            when rule like 'after %' then cast({{ local_date('decided_at_lo') }} + to_months(retention_months) as date)
        end as due_on_lo,
        case
            when rule like 'after %' then cast({{ local_date('decided_at_hi') }} + to_months(retention_months) as date)
        end as due_on
    from ruled
),

final as (
    select
        dated.application_key,
        dated.candidate_key,
        dated.job_id,
        dated.country,
        dated.is_mapped,
        dated.status,
        dated.decided_at_lo,
        dated.decided_at_hi,
        dated.retention_months,
        dated.rule,
        dated.due_on_lo,
        dated.due_on,
        coalesce(dated.due_on <= {{ local_date('as_of.as_of') }}, false) as is_due,
        dated.is_deleted,
        dated.is_candidate_needed
    from dated
    cross join as_of
)

select * from final
