with

versions as (
    select * from {{ ref('int_application_version') }}
),

applied as (
    select * from {{ ref('int_application_applied') }}
),

milestones as (
    select * from {{ ref('int_milestone') }}
),

-- The first version at each milestone: every step up is one of these.
firsts as (
    select
        application_key,
        milestone_rank,
        min(version_number) as version_number,
        arg_min(
            struct_pack(
                became_at_lo := became_at_lo,
                became_at := became_at,
                became_at_hi := became_at_hi,
                evidence := evidence
            ),
            version_number
        ) as began
    from versions
    where not is_deleted
    group by application_key, milestone_rank
),

climbs as (
    select
        application_key,
        milestone_rank,
        began,
        coalesce(max(milestone_rank) over before, 0) as rank_before
    from firsts
    window
        before as (
            partition by application_key order by version_number rows between unbounded preceding and 1 preceding
        )
),

-- A step up reaches its own milestone and, by assumption, those that it skips. Every application reaches the first
-- milestone when it is made.
reached as (
    select
        climbs.application_key,
        milestones.milestone,
        milestones.milestone_rank,
        case when milestones.milestone_rank = 1 then applied.applied_at_lo else climbs.began.became_at_lo end
            as reached_at_lo,
        case when milestones.milestone_rank = 1 then applied.applied_at else climbs.began.became_at end as reached_at,
        case when milestones.milestone_rank = 1 then applied.applied_at_hi else climbs.began.became_at_hi end
            as reached_at_hi,
        case
            when milestones.milestone_rank = 1 then applied.applied_evidence else climbs.began.evidence
        end as reached_evidence
    from climbs
    inner join milestones
        on climbs.rank_before < milestones.milestone_rank and climbs.milestone_rank >= milestones.milestone_rank
    inner join applied on climbs.application_key = applied.application_key
),

final as (
    select
        reached.application_key,
        reached.milestone,
        reached.milestone_rank,
        firsts.application_key is not null as is_observed,
        reached.reached_at_lo,
        reached.reached_at,
        reached.reached_at_hi,
        reached.reached_evidence
    from reached
    left join firsts
        on reached.application_key = firsts.application_key and reached.milestone_rank = firsts.milestone_rank
)

select * from final
