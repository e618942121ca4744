{#- One CTE per family of checks, all of one shape: sync, check, subject, n of n_of, and a value with its unit. -#}
with

syncs as (
    select * from {{ ref('int_sync') }}
),

events as (
    select
        hi_sync_id as sync_id,
        evidence,
        is_unannounced,
        is_in_the_future,
        {{ days_between('event_at_lo', 'event_at_hi') }} * 24 as hours
    from {{ ref('int_application_event') }}
),

versions as (
    select * from {{ ref('int_application_version') }}
),

stages as (
    select * from {{ ref('int_stage') }}
),

sources as (
    select * from {{ ref('int_source') }}
),

counts as (
    select * from {{ ref('stg_ats__sync_counts') }}
),

event_totals as (
    select
        sync_id,
        count(*) as n_events,
        count(hours) as n_bounded,
        count(*) filter (where is_unannounced) as n_unannounced,
        count(*) filter (where is_in_the_future) as n_in_the_future,
        quantile_cont(hours, 0.5) as hours_p50,
        quantile_cont(hours, 0.9) as hours_p90
    from events
    group by sync_id
),

verdicts as (
    select
        sync_id,
        'guard' as check_name,
        verdict as subject,
        cast(verdict <> 'committed' as bigint) as n,
        cast(1 as bigint) as n_of,
        cast(null as double) as value,
        cast(null as varchar) as unit
    from syncs
),

-- Time since the last sync, since the last that would have shown changes, and since the last that would have shown
-- deletions.
gaps as (
    select
        sync_id,
        'gap' as check_name,
        unnest(['any sync', 'changes', 'deletions']) as subject,
        cast(null as bigint) as n,
        cast(null as bigint) as n_of,
        unnest([
            {{ days_between('lag(started_at) over (order by sync_number)', 'started_at') }},
            {{ days_between('content_proved_at', 'started_at') }},
            {{ days_between('presence_proved_at', 'started_at') }}
        ]) as value,
        'days' as unit
    from syncs
),

evidence_mix as (
    select
        events.sync_id,
        'evidence' as check_name,
        events.evidence as subject,
        count(*) as n,
        any_value(event_totals.n_events) as n_of,
        cast(null as double) as value,
        cast(null as varchar) as unit
    from events
    inner join event_totals on events.sync_id = event_totals.sync_id
    group by events.sync_id, events.evidence
),

widths as (
    select
        sync_id,
        'interval width' as check_name,
        unnest(['median', '90th percentile']) as subject,
        n_bounded as n,
        n_events as n_of,
        unnest([hours_p50, hours_p90]) as value,
        'hours' as unit
    from event_totals
),

announcements as (
    select
        sync_id,
        'lastUpdatedAt' as check_name,
        unnest(['did not announce the change', 'lies in the future']) as subject,
        unnest([n_unannounced, n_in_the_future]) as n,
        n_events as n_of,
        cast(null as double) as value,
        cast(null as varchar) as unit
    from event_totals
),

unmapped as (
    select
        versions.sync_id,
        'unmapped' as check_name,
        unnest(['stages', 'sources']) as subject,
        unnest([
            count(*) filter (where not stages.is_mapped),
            count(*) filter (where not sources.is_mapped)
        ]) as n,
        count(*) as n_of,
        cast(null as double) as value,
        cast(null as varchar) as unit
    from versions
    left join stages on versions.stage_id = stages.stage_id
    left join sources on versions.source = sources.source
    where not versions.is_deleted
    group by versions.sync_id
),

-- What a sync itself counted: words and fields that the mapping does not know, records that were set aside, and second
-- looks that were put off.
counted as (
    select
        counts.sync_id,
        case
            when counts.name like 'unknown:%' then 'unknown values'
            when counts.name = 'quarantined' then 'set aside'
            else 'looks put off'
        end as check_name,
        case when counts.name like 'unknown:%' then substr(counts.name, 9) else counts.scope end as subject,
        counts.n,
        cast(null as bigint) as n_of,
        cast(null as double) as value,
        cast(null as varchar) as unit
    from counts
    inner join syncs on counts.sync_id = syncs.sync_id
    where counts.name like 'unknown:%' or counts.name in ('quarantined', 'pending_looks')
),

checks as (
    select * from verdicts
    union all
    select * from gaps
    where value is not null
    union all
    select * from evidence_mix
    union all
    select * from widths
    union all
    select * from announcements
    union all
    select * from unmapped
    union all
    select * from counted
),

final as (
    select
        checks.sync_id,
        checks.check_name,
        checks.subject,
        syncs.started_at,
        syncs.mode,
        checks.n,
        checks.n_of,
        case when checks.n_of > 0 then checks.n / cast(checks.n_of as double) end as share,
        checks.value,
        checks.unit
    from checks
    inner join syncs on checks.sync_id = syncs.sync_id
)

select * from final
