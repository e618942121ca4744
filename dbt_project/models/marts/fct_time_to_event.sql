{%- set second = '(1 / 86400.0)' -%}

with

-- Read from its table each time: a CTE of several readers is kept whole, and all applications are much.
applications as not materialized (
    select * from {{ ref('fct_application') }}
),

first_decisions as (
    select * from {{ ref('int_first_decision') }}
),

visits as not materialized (
    select * from {{ ref('fct_stage_visit') }}
),

first_sync as (
    select min(started_at) as started_at
    from {{ ref('int_sync') }}
    where is_applications_whole
),

-- Applied to the first of hired, declined, vanished.
decisions as (
    select
        applications.application_key,
        'decision' as question,
        applications.applied_at_lo as origin_at_lo,
        applications.applied_at as origin_at,
        applications.applied_at_hi as origin_at_hi,
        first_decisions.first_decision as event,
        coalesce(first_decisions.first_decided_at_lo, applications.last_known_open_at) as exit_at_lo,
        coalesce(first_decisions.first_decided_at, applications.last_known_open_at) as exit_at,
        coalesce(first_decisions.first_decided_at_hi, applications.last_known_open_at) as exit_at_hi,
        not first_decisions.is_historic and applications.applied_evidence <> 'bounded' as is_timed
    from applications
    inner join first_decisions on applications.application_key = first_decisions.application_key
),

-- Applied to hired; the rejection or the vanishing that stands competes. What was undone was no end.
hires as (
    select
        application_key,
        'hire' as question,
        applied_at_lo as origin_at_lo,
        applied_at as origin_at,
        applied_at_hi as origin_at_hi,
        case when status in ('HIRED', 'DECLINED', 'VANISHED') then status end as event,
        coalesce(decided_at_lo, last_known_open_at) as exit_at_lo,
        coalesce(decided_at, last_known_open_at) as exit_at,
        coalesce(decided_at_hi, last_known_open_at) as exit_at_hi,
        not is_historic and applied_evidence <> 'bounded' as is_timed
    from applications
),

-- A stay at a milestone: visits one after the other, without a decision between them.
numbered_visits as (
    select
        *,
        coalesce(lag(milestone) over history = milestone and lag(exit) over history = 'MOVED', false) as is_continued
    from visits
    window history as (partition by application_key order by visit_number)
),

stays as (
    select
        *,
        count(*) filter (where not is_continued) over (
            partition by application_key order by visit_number
        ) as stay_number
    from numbered_visits
),

-- The first stay at each milestone but the last, from its first visit's beginning to its last visit's end.
first_stays as (
    select
        application_key,
        milestone,
        stay_number,
        arg_min_null(entered_at_lo, visit_number) as origin_at_lo,
        min(entered_at) as origin_at,
        arg_min(entered_at_hi, visit_number) as origin_at_hi,
        arg_min(entered_evidence, visit_number) as entered_evidence,
        bool_or(is_left_truncated) as is_left_truncated,
        arg_max(coalesce(exit, ''), visit_number) as exit,
        max(visit_number) as last_visit_number
    from stays
    where milestone <> 'HIRED'
    group by application_key, milestone, stay_number
    qualify row_number() over (partition by application_key, milestone order by stay_number) = 1
),

-- Whoever stood there at the first sync for nobody knows how long is not timed.
leavings as (
    select
        first_stays.application_key,
        'leave_' || lower(first_stays.milestone) as question,
        first_stays.origin_at_lo,
        first_stays.origin_at,
        first_stays.origin_at_hi,
        case when first_stays.exit not in ('', 'UNKNOWN') then first_stays.exit end as event,
        coalesce(visits.known_until_at, visits.left_at_lo) as exit_at_lo,
        coalesce(visits.known_until_at, visits.left_at) as exit_at,
        coalesce(visits.known_until_at, visits.left_at_hi) as exit_at_hi,
        not (first_stays.is_left_truncated and first_stays.entered_evidence = 'bounded')
        and first_stays.origin_at_lo is not null as is_timed
    from first_stays
    inner join visits
        on
            first_stays.application_key = visits.application_key
            and first_stays.last_visit_number = visits.visit_number
),

questions as (
    select * from decisions
    union all
    select * from hires
    union all
    select * from leavings
),

-- What was open at the first sync is at risk from then on: what ended before is not there to be counted.
durations as (
    select
        questions.application_key,
        questions.question,
        applications.job_id,
        applications.source,
        questions.origin_at,
        questions.event,
        questions.is_timed,
        {{ days_between('questions.origin_at', 'first_sync.started_at') }} as entry_days,
        {{ days_between('questions.origin_at_hi', 'questions.exit_at_lo') }} as days_lo,
        {{ days_between('questions.origin_at', 'questions.exit_at') }} as days,
        {{ days_between('questions.origin_at_lo', 'questions.exit_at_hi') }} as days_hi
    from questions
    inner join applications on questions.application_key = applications.application_key
    cross join first_sync
),

-- At risk on (entry, exit]: an exit is at least a second after its entry, also where lo says it may have been before.
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
        is_at_risk
    from risks
)

select * from final
