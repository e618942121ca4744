with

-- Read from its table each time: a CTE of several readers is kept whole, and all versions are much.
versions as not materialized (
    select * from {{ ref('int_application_version') }}
),

applied as (
    select * from {{ ref('int_application_applied') }}
),

milestones as (
    select * from {{ ref('int_milestone') }}
),

climbs as (
    select
        application_key,
        version_number,
        became_at_lo,
        became_at,
        became_at_hi,
        evidence,
        max(milestone_rank) over history as furthest_rank,
        coalesce(max(milestone_rank) over before, 0) as rank_before
    from versions
    where not is_deleted
    window
        history as (partition by application_key order by version_number),
        before as (
            partition by application_key order by version_number rows between unbounded preceding and 1 preceding
        )
),

seen as (
    select distinct
        application_key,
        milestone_rank
    from versions
    where not is_deleted
),

-- A step up reaches its own milestone and, so we assume, those it skips. Every application reaches the first one when
-- it is made.
reached as (
    select
        climbs.application_key,
        milestones.milestone,
        milestones.milestone_rank,
        case when milestones.milestone_rank = 1 then applied.applied_at_lo else climbs.became_at_lo end
            as reached_at_lo,
        case when milestones.milestone_rank = 1 then applied.applied_at else climbs.became_at end as reached_at,
        case when milestones.milestone_rank = 1 then applied.applied_at_hi else climbs.became_at_hi end
            as reached_at_hi,
        case
            when milestones.milestone_rank = 1 then applied.applied_evidence else climbs.evidence
        end as reached_evidence
    from climbs
    inner join milestones
        on climbs.rank_before < milestones.milestone_rank and climbs.furthest_rank >= milestones.milestone_rank
    inner join applied on climbs.application_key = applied.application_key
    where climbs.furthest_rank > climbs.rank_before
),

final as (
    select
        reached.application_key,
        reached.milestone,
        reached.milestone_rank,
        seen.application_key is not null as is_observed,
        reached.reached_at_lo,
        reached.reached_at,
        reached.reached_at_hi,
        reached.reached_evidence
    from reached
    left join seen
        on reached.application_key = seen.application_key and reached.milestone_rank = seen.milestone_rank
)

select * from final
