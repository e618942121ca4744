-- An application's events, in order, give what each of its versions showed: stage, outcome, and whether it is deleted.
with

versions as (
    select * from {{ ref('int_application_version') }}
),

events as (
    select * from {{ ref('int_application_event') }}
),

entries as (
    select * from events
    where event_type in ('FIRST_SEEN', 'STAGE_CHANGED')
),

outcomes as (
    select * from events
    where event_type in ('FIRST_SEEN', 'OUTCOME_CHANGED', 'REOPENED')
),

appearances as (
    select * from events
    where event_type in ('FIRST_SEEN', 'VANISHED', 'REAPPEARED')
),

final as (
    select
        versions.application_key,
        versions.version_number
    from versions
    asof left join entries
        on versions.application_key = entries.application_key and versions.version_number >= entries.version_number
    asof left join outcomes
        on versions.application_key = outcomes.application_key and versions.version_number >= outcomes.version_number
    asof left join appearances
        on
            versions.application_key = appearances.application_key
            and versions.version_number >= appearances.version_number
    where
        (not versions.is_deleted and versions.stage_id is distinct from entries.to_stage_id)
        or (not versions.is_deleted and versions.outcome is distinct from outcomes.to_outcome)
        or versions.is_deleted is distinct from (appearances.event_type = 'VANISHED')
)

select * from final
