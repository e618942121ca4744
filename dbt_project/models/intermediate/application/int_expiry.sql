{%- set days = var('retention_days') -%}
{#- By so many days, beside those of the interval, may the age that was found be too great. -#}
{%- set too_great = 3 -%}

-- Which undecided applications were deleted by a rule and not because the applicant withdrew. The setting comes before
-- what was detected.
with

deletions as (
    select
        *,
        age_days + {{ too_great }}
        + coalesce({{ days_between('interval_begins_at', 'interval_ends_at') }}, 0) as most_age_days
    from {{ ref('int_deletion') }}
    where coalesce(outcome not in ('HIRED', 'DECLINED'), true)
),

rules as (
    select * from {{ ref('int_expiry_rule') }}
),

regular_rules as (
    select * from rules
    where expiry_evidence is not null and n_intervals >= 5
),

alone as (
    select * from {{ ref('int_expiry_age') }}
),

-- In an interval that was not looked at, the rule that worked regularly before it deletes at the same age. Where the
-- source dates a deletion, one of a much younger application is a withdrawal, although it would have become as old
-- later in the interval.
judged as (
    select
        deletions.application_key,
        deletions.age_days,
        {{ days_between('deletions.applied_at', 'deletions.interval_ends_at') }} as age_at_end,
        deletions.interval_ends_at,
        deletions.applied_at,
        deletions.deleted_at_lo,
        deletions.deleted_at_hi,
        case
            when {{ days or 0 }} > 0 then {{ days or 0 }}
            when rules.interval_number is null then regular_rules.age_days
            when rules.n_intervals >= 5 then rules.age_days
        end as rule_age_days,
        case
            when {{ 'true' if days is not none else 'false' }}
                then
                    case
                        when {{ days or 0 }} > 0 and deletions.age_days >= {{ days or 0 }} then 'setting'
                    end
            when rules.interval_number is not null
                then
                    case
                        when
                            deletions.applied_at <= rules.newest_at
                            and deletions.most_age_days >= rules.age_days
                            then rules.expiry_evidence
                    end
            when
                {{ days_between('deletions.applied_at', 'deletions.interval_ends_at') }} >= regular_rules.age_days
                and deletions.most_age_days >= regular_rules.age_days
                then regular_rules.expiry_evidence
        end as expiry_evidence
    from deletions
    left join rules on deletions.interval_number = rules.interval_number
    asof left join regular_rules on deletions.interval_number >= regular_rules.interval_number
),

-- Who goes at an age was there until then, also where nobody looked. When a rule worked once, nobody knows.
dated as (
    select
        application_key,
        age_days,
        age_at_end,
        interval_ends_at,
        expiry_evidence,
        rule_age_days,
        least(
            greatest(applied_at + to_days(cast(floor(rule_age_days) as integer)), deleted_at_lo), deleted_at_hi
        ) as reached_age_at
    from judged
),

-- Where the undecided alone go at an age, it may be a rule, or people who lose patience.
final as (
    select
        dated.application_key,
        case
            when dated.rule_age_days is not null and dated.expiry_evidence in ('setting', 'detected')
                then dated.reached_age_at
        end as open_until_at,
        coalesce(dated.expiry_evidence, 'mixed') as expiry_evidence
    from dated
    left join alone
        on
            dated.age_at_end >= alone.age_days
            and dated.age_days >= alone.age_days - alone.width
            and dated.interval_ends_at > alone.begins_at
    where
        dated.expiry_evidence is not null
        or ({{ 'false' if days is not none else 'true' }} and alone.age_days is not null)
)

select * from final
