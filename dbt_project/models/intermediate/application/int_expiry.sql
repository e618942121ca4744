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

{% if var('retention_days') is not none -%}
final as (
    select
        application_key,
        'setting' as expiry_evidence
    from deletions
    where {{ var('retention_days') }} > 0 and age_days >= {{ var('retention_days') }}
)
{%- else -%}
regular_rules as (
    select * from rules
    where expiry_evidence is not null and n_intervals >= 5
),

-- In an interval that was not looked at, the rule that worked regularly before it deletes at the same age.
final as (
    select
        deletions.application_key,
        case
            when rules.interval_number is null then regular_rules.expiry_evidence else rules.expiry_evidence
        end as expiry_evidence
    from deletions
    left join rules on deletions.interval_number = rules.interval_number
    asof left join regular_rules on deletions.interval_number >= regular_rules.interval_number
    where
        case
            when rules.interval_number is not null
                then rules.expiry_evidence is not null and deletions.applied_at <= rules.newest_at
            else {{ days_between('deletions.applied_at', 'deletions.interval_ends_at') }} >= regular_rules.age_days
        end
)
{%- endif %}

select * from final
