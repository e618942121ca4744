{%- set days = var('retention_days') -%}
{#- By so many days may the age that was found, by the hour and over all of an interval, be too great. -#}
{%- set too_great = 3 -%}

-- Which undecided applications were deleted by a rule and not because the applicant withdrew. The setting comes before
-- what was detected.
with

deletions as (
    select * from {{ ref('int_deletion') }}
    where coalesce(outcome not in ('HIRED', 'DECLINED'), true)
),

rules as (
    select * from {{ ref('int_expiry_rule') }}
),

regular_rules as (
    select * from rules
    where expiry_evidence is not null and n_intervals >= 5
),

-- In an interval that was not looked at, the rule that worked regularly before it deletes at the same age. Where the
-- source dates a deletion, one of a younger application is a withdrawal, although it would have become as old later in
-- the interval.
judged as (
    select
        deletions.application_key,
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
                            and deletions.age_days >= rules.age_days - {{ too_great }}
                            then rules.expiry_evidence
                    end
            when
                {{ days_between('deletions.applied_at', 'deletions.interval_ends_at') }} >= regular_rules.age_days
                and deletions.age_days >= regular_rules.age_days - {{ too_great }}
                then regular_rules.expiry_evidence
        end as expiry_evidence
    from deletions
    left join rules on deletions.interval_number = rules.interval_number
    asof left join regular_rules on deletions.interval_number >= regular_rules.interval_number
),

final as (
    select
        application_key,
        expiry_evidence
    from judged
    where expiry_evidence is not null
)

select * from final
