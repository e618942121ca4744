with

tags as (
    select * from {{ ref('dim_tag') }}
),

-- When a candidate was first seen to carry a tag.
tagged as (
    select
        candidate_key,
        tag_id,
        min(observed_from_at) as tagged_at
    from {{ ref('bridge_candidate_tag') }}
    group by candidate_key, tag_id
),

applications as (
    select * from {{ ref('fct_application') }}
),

-- A tag was certainly put on before the decision if it was seen while the application was still undecided.
pairs as (
    select
        tagged.tag_id,
        tagged.candidate_key,
        applications.status,
        applications.is_in_closed_job,
        coalesce(tagged.tagged_at <= applications.decided_at_lo, false) as is_tagged_before
    from tagged
    inner join applications on tagged.candidate_key = applications.candidate_key
),

counted as (
    select
        tag_id,
        count(distinct candidate_key) as n_candidates,
        count(*) as n_applications,
        count(*) filter (where status in ('OPEN', 'UNKNOWN')) as n_waiting,
        count(*) filter (where status in ('OPEN', 'UNKNOWN') and is_in_closed_job) as n_in_closed_job,
        count(*) filter (where status = 'HIRED') as n_hired,
        count(*) filter (where status = 'DECLINED') as n_declined,
        count(*) filter (where status = 'VANISHED') as n_vanished,
        count(*) filter (where status = 'EXPIRED') as n_expired,
        count(*) filter (where is_tagged_before) as n_tagged_before,
        count(*) filter (where is_tagged_before and status = 'HIRED') as n_hired_tagged_before
    from pairs
    group by tag_id
),

resolved as (
    select
        *,
        n_hired + n_declined + n_vanished as n_resolved
    from counted
),

final as (
    select
        resolved.tag_id,
        tags.tag_name,
        resolved.n_candidates,
        resolved.n_applications,
        resolved.n_waiting,
        resolved.n_in_closed_job,
        resolved.n_hired,
        resolved.n_declined,
        resolved.n_vanished,
        resolved.n_expired,
        {{ rate('resolved.n_hired', 'resolved.n_resolved') }} as hire_rate,
        {{ wilson('resolved.n_hired', 'resolved.n_resolved', 'low') }} as hire_rate_wilson_low,
        {{ wilson('resolved.n_hired', 'resolved.n_resolved', 'high') }} as hire_rate_wilson_high,
        resolved.n_tagged_before,
        {{ rate('resolved.n_hired_tagged_before', 'resolved.n_tagged_before') }} as hire_rate_tagged_before,
        {{ wilson('resolved.n_hired_tagged_before', 'resolved.n_tagged_before', 'low') }}
            as hire_rate_tagged_before_wilson_low,
        {{ wilson('resolved.n_hired_tagged_before', 'resolved.n_tagged_before', 'high') }}
            as hire_rate_tagged_before_wilson_high,
        case
            when resolved.n_tagged_before < resolved.n_resolved
                then
                    'leakage: ' || resolved.n_resolved - resolved.n_tagged_before || ' of ' || resolved.n_resolved
                    || ' decided applications may have been tagged after the decision, or because of it'
        end as leakage_warning
    from resolved
    inner join tags on resolved.tag_id = tags.tag_id
)

select * from final
