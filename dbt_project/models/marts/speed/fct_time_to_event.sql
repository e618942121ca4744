{%- set second = '(1 / 86400.0)' -%}

with

-- Not materialized, because DuckDB would keep a CTE with several readers whole, and there are many applications.
applications as not materialized (
    select * from {{ ref('fct_application') }}
),

first_decisions as (
    select * from {{ ref('int_first_decision') }}
),

visits as not materialized (
    select * from {{ ref('fct_stage_visit') }}
),

follow_up as (
    select * from {{ ref('int_follow_up') }}
),

-- Who goes by a rule at an age was there until then. The last proof of it may lie long before, and whoever withdrew
-- since may have been taken for one of them: the bounds hold both readings.
expiries as (
    select
        application_key,
        open_until_at
    from {{ ref('int_expiry') }}
    where open_until_at is not null
),

-- From applied to the first of hired, declined and vanished.
decisions as (
    select
        applications.application_key,
        applications.job_id,
        applications.source,
        'decision' as question,
        applications.applied_at_lo as origin_at_lo,
        applications.applied_at as origin_at,
        applications.applied_at_hi as origin_at_hi,
        first_decisions.first_decision as event,
        coalesce(first_decisions.first_decided_at_lo, applications.last_known_open_at) as exit_at_lo,
        coalesce(
            first_decisions.first_decided_at, expiries.open_until_at, applications.last_known_open_at
        ) as exit_at,
        coalesce(
            first_decisions.first_decided_at_hi, expiries.open_until_at, applications.last_known_open_at
        ) as exit_at_hi,
        not first_decisions.is_historic and applications.applied_evidence <> 'bounded' as is_timed,
        applications.expiry_evidence = 'mixed' as is_perhaps_expired
    from applications
    inner join first_decisions on applications.application_key = first_decisions.application_key
    left join expiries on applications.application_key = expiries.application_key
),

-- From applied to hired. A rejection or vanishing that stands competes. An undone decision is no end.
hires as (
    select
        applications.application_key,
        applications.job_id,
        applications.source,
        'hire' as question,
        applications.applied_at_lo as origin_at_lo,
        applications.applied_at as origin_at,
        applications.applied_at_hi as origin_at_hi,
        case when applications.status in ('HIRED', 'DECLINED', 'VANISHED') then applications.status end as event,
        coalesce(applications.decided_at_lo, applications.last_known_open_at) as exit_at_lo,
        coalesce(applications.decided_at, expiries.open_until_at, applications.last_known_open_at) as exit_at,
        coalesce(applications.decided_at_hi, expiries.open_until_at, applications.last_known_open_at) as exit_at_hi,
        not applications.is_historic and applications.applied_evidence <> 'bounded' as is_timed,
        applications.expiry_evidence = 'mixed' as is_perhaps_expired
    from applications
    left join expiries on applications.application_key = expiries.application_key
),

-- A stay at a milestone: its visits in a row, without a decision between them.
ends as (
    select
        application_key,
        milestone,
        visit_number,
        coalesce(lead(milestone) over history = milestone and exit = 'MOVED', false) as is_continued
    from visits
    window history as (partition by application_key order by visit_number)
),

first_ends as (
    select
        application_key,
        milestone,
        min(visit_number) as visit_number
    from ends
    where not is_continued and milestone <> 'HIRED'
    group by application_key, milestone
),

-- The first stay at each milestone except the last: its visits up to the first that ends a stay. It runs from the first
-- visit's beginning to the last visit's end.
first_stays as (
    select
        visits.application_key,
        visits.milestone,
        arg_min_null(visits.entered_at_lo, visits.visit_number) as origin_at_lo,
        min(visits.entered_at) as origin_at,
        arg_min(visits.entered_at_hi, visits.visit_number) as origin_at_hi,
        arg_min(visits.entered_evidence, visits.visit_number) as entered_evidence,
        bool_or(visits.is_left_truncated) as is_left_truncated,
        max(visits.exit) filter (where visits.visit_number = first_ends.visit_number) as exit,
        max(coalesce(visits.known_until_at, visits.left_at_lo))
        filter (where visits.visit_number = first_ends.visit_number) as exit_at_lo,
        max(coalesce(visits.known_until_at, visits.left_at))
        filter (where visits.visit_number = first_ends.visit_number) as exit_at,
        max(coalesce(visits.known_until_at, visits.left_at_hi))
        filter (where visits.visit_number = first_ends.visit_number) as exit_at_hi
    from visits
    inner join first_ends
        on
            visits.application_key = first_ends.application_key
            and visits.milestone = first_ends.milestone
            and visits.visit_number <= first_ends.visit_number
    group by visits.application_key, visits.milestone
),

-- An application that stood there at the first sync since an unknown time is not timed.
leavings as (
    select
        first_stays.application_key,
        applications.job_id,
        applications.source,
        'leave_' || lower(first_stays.milestone) as question,
        first_stays.origin_at_lo,
        first_stays.origin_at,
        first_stays.origin_at_hi,
        case when first_stays.exit not in ('UNKNOWN', 'EXPIRED') then first_stays.exit end as event,
        first_stays.exit_at_lo,
        first_stays.exit_at,
        first_stays.exit_at_hi,
        not (first_stays.is_left_truncated and first_stays.entered_evidence = 'bounded')
        and first_stays.origin_at_lo is not null as is_timed,
        applications.expiry_evidence = 'mixed' as is_perhaps_expired
    from first_stays
    inner join applications on first_stays.application_key = applications.application_key
),

questions as (
    select * from decisions
    union all
    select * from hires
    union all
    select * from leavings
),

-- Everybody is followed to the same instant. What happened later is known of some only, so it counts as not yet
-- happened.
followed as (
    select
        questions.application_key,
        questions.question,
        questions.job_id,
        questions.source,
        questions.origin_at_lo,
        questions.origin_at,
        questions.origin_at_hi,
        follow_up.followed_from,
        case when questions.exit_at <= follow_up.followed_until then questions.event end as event,
        questions.is_perhaps_expired,
        least(questions.exit_at_lo, follow_up.followed_until) as exit_at_lo,
        least(questions.exit_at, follow_up.followed_until) as exit_at,
        least(questions.exit_at_hi, follow_up.followed_until) as exit_at_hi,
        questions.is_timed and questions.origin_at < follow_up.followed_until as is_timed
    from questions
    cross join follow_up
),

-- An application that was open at the first sync is at risk from then on, because those that ended before are not
-- known.
durations as (
    select
        application_key,
        question,
        job_id,
        source,
        origin_at,
        event,
        event = 'VANISHED' and is_perhaps_expired as is_perhaps_expired,
        is_timed,
        {{ days_between('origin_at', 'followed_from') }} as entry_days,
        {{ days_between('origin_at_hi', 'exit_at_lo') }} as days_lo,
        {{ days_between('origin_at', 'exit_at') }} as days,
        {{ days_between('origin_at_lo', 'exit_at_hi') }} as days_hi
    from followed
),

-- At risk on (entry, exit]: an exit is at least a second after its entry, even where lo lies before it.
risks as (
    select
        *,
        coalesce(is_timed and days_hi > entry_days, false) as is_at_risk,
        entry_days + {{ second }} as least_days
    from durations
),

final as (
    select
        application_key,
        question,
        job_id,
        source,
        origin_at,
        entry_days,
        event,
        case when is_at_risk then greatest(days_lo, least_days) end as exit_days_lo,
        case when is_at_risk then greatest(days, least_days) end as exit_days,
        case when is_at_risk then greatest(days_hi, least_days) else days_hi end as exit_days_hi,
        is_at_risk,
        coalesce(is_perhaps_expired, false) as is_perhaps_expired
    from risks
)

select * from final
