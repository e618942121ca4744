with

quality as (
    select * from {{ ref('mart_data_quality') }}
),

applications as (
    select * from {{ ref('fct_application') }}
),

syncs as (
    select * from {{ ref('int_sync') }}
),

as_of as (
    select as_of from {{ ref('stg_ats__as_of') }}
),

events as (
    select
        evidence,
        is_unannounced,
        is_in_the_future,
        {{ days_between('event_at_lo', 'event_at_hi') }} * 24 as hours
    from {{ ref('int_application_event') }}
),

evidence_mix as (
    select
        'evidence' as check_name,
        evidence as subject,
        count(*) as n,
        cast(sum(count(*)) over () as bigint) as n_of,
        cast(null as double) as value,
        cast(null as varchar) as unit
    from events
    group by evidence
),

announcements as (
    select
        'lastUpdatedAt' as check_name,
        unnest(['did not announce the change', 'lies in the future']) as subject,
        unnest([count(*) filter (where is_unannounced), count(*) filter (where is_in_the_future)]) as n,
        count(*) as n_of,
        cast(null as double) as value,
        cast(null as varchar) as unit
    from events
),

-- Over all syncs: how many each check counted, out of how many.
sums as (
    select
        check_name,
        if(check_name = 'guard', 'syncs in which it objected', subject) as subject,
        cast(sum(n) as bigint) as n,
        cast(sum(n_of) as bigint) as n_of,
        cast(null as double) as value,
        cast(null as varchar) as unit
    from quality
    where check_name in ('guard', 'unknown values', 'set aside')
    group by all
),

-- What the source sent that can't be so, or is not there. Only what there is has a row.
odd as (
    select
        'odd records' as check_name,
        model || '.' || field || ' ' || fault as subject,
        count(*) as n,
        cast(null as bigint) as n_of,
        cast(null as double) as value,
        cast(null as varchar) as unit
    from {{ ref('stg_ats__odd_records') }}
    group by model, field, fault
),

widths as (
    select
        'interval width' as check_name,
        unnest(['median', '90th percentile']) as subject,
        count(hours) as n,
        count(*) as n_of,
        unnest([quantile_cont(hours, 0.5), quantile_cont(hours, 0.9)]) as value,
        'hours' as unit
    from events
),

gaps as (
    select
        'longest gap' as check_name,
        subject,
        cast(null as bigint) as n,
        cast(null as bigint) as n_of,
        max(value) as value,
        'days' as unit
    from quality
    where check_name = 'gap'
    group by subject
),

last_proofs as (
    select
        max(proves_at) filter (where is_proof_of_content) as of_content_at,
        max(proves_at) filter (where is_proof_of_presence) as of_presence_at
    from syncs
),

ages as (
    select
        'age of what is known' as check_name,
        unnest(['changes', 'deletions']) as subject,
        cast(null as bigint) as n,
        cast(null as bigint) as n_of,
        unnest([
            {{ days_between('last_proofs.of_content_at', 'as_of.as_of') }},
            {{ days_between('last_proofs.of_presence_at', 'as_of.as_of') }}
        ]) as value,
        'days' as unit
    from last_proofs
    cross join as_of
),

-- Estimates end where follow-up ends. A guarded sync proves nothing, so since the first one nothing is known of
-- vanishings.
follow_up as (
    select
        'follow-up' as check_name,
        unnest(['estimates end before as_of', 'guarded before as_of']) as subject,
        cast(null as bigint) as n,
        cast(null as bigint) as n_of,
        unnest([days_behind, {{ days_between('guarded_since', 'as_of') }}]) as value,
        'days' as unit
    from {{ ref('int_follow_up') }}
),

deletions as (
    select
        applications.expiry_evidence,
        gone.age_days
    from applications
    inner join {{ ref('int_deletion') }} as gone on applications.application_key = gone.application_key
    where coalesce(gone.outcome not in ('HIRED', 'DECLINED'), true)
),

kinds_of_expiry as (
    select
        unnest(['setting', 'detected', 'mixed']) as expiry_evidence,
        unnest([
            'older than the age that was set',
            'at an age above which the ATS keeps nothing, decided or not',
            'perhaps: no decided one was as old, younger ones went too, or only undecided ones went'
        ]) as subject
),

all_deletions as (
    select count(*) as n from deletions
),

-- The least age, in whole days, tells the rule. One application in a hundred may lie below it by chance.
expiry as (
    select
        'expiry' as check_name,
        kinds_of_expiry.subject,
        count(deletions.expiry_evidence) as n,
        any_value(all_deletions.n) as n_of,
        floor(quantile_cont(deletions.age_days, 0.01)) as value,
        'days' as unit
    from kinds_of_expiry
    cross join all_deletions
    left join deletions on kinds_of_expiry.expiry_evidence = deletions.expiry_evidence
    group by kinds_of_expiry.subject
),

observation as (
    select
        'observation' as check_name,
        unnest([
            'syncs', 'syncs that prove changes', 'syncs that prove deletions',
            'syncs before the list was proved complete'
        ]) as subject,
        unnest([
            count(*),
            count(*) filter (where is_proof_of_content),
            count(*) filter (where is_proof_of_presence),
            count(*) filter (where is_list_not_proved)
        ]) as n,
        count(*) as n_of,
        cast(null as double) as value,
        cast(null as varchar) as unit
    from syncs
),

-- Counts of the applications in their present state.
shares as (
    select
        'applications' as check_name,
        unnest([
            'outcome not known', 'made before the first sync', 'decided before the first sync', 'gone from JOIN',
            'creation not told by JOIN'
        ]) as subject,
        unnest([
            count(*) filter (where status = 'UNKNOWN'),
            count(*) filter (where is_left_truncated),
            count(*) filter (where is_historic),
            count(*) filter (where is_deleted),
            count(*) filter (where applied_evidence <> 'source')
        ]) as n,
        count(*) as n_of,
        cast(null as double) as value,
        cast(null as varchar) as unit
    from applications
),

consents as (
    select
        'consent' as check_name,
        unnest(['rejected, and still in JOIN', 'expired, and still in JOIN']) as subject,
        unnest([
            count(*) filter (where upper(consent_status) = 'REJECTED' and not is_deleted),
            count(*) filter (where upper(consent_status) = 'EXPIRED' and not is_deleted)
        ]) as n,
        count(*) filter (where not is_deleted) as n_of,
        cast(null as double) as value,
        cast(null as varchar) as unit
    from applications
),

names as (
    select
        'not mapped' as check_name,
        'stages' as subject,
        count(*) filter (where not is_mapped) as n,
        count(*) as n_of,
        cast(null as double) as value,
        cast(null as varchar) as unit
    from {{ ref('int_stage') }}
    union all
    select
        'not mapped' as check_name,
        'sources' as subject,
        count(*) filter (where not is_mapped) as n,
        count(*) as n_of,
        cast(null as double) as value,
        cast(null as varchar) as unit
    from {{ ref('int_source') }}
),

checks as (
    select * from sums
    union all
    select * from odd
    union all
    select * from evidence_mix
    union all
    select * from announcements
    union all
    select * from widths
    union all
    select * from gaps
    union all
    select * from ages
    union all
    select * from follow_up
    union all
    select * from expiry
    union all
    select * from observation
    union all
    select * from shares
    union all
    select * from consents
    union all
    select * from names
),

-- A few applications are a group of people, too, so their number is hidden. Kinds of evidence add up to all events, so
-- the next smallest is hidden with a small one. The events without an interval are those without a lo. Syncs, stages
-- and words are no people.
hidden as (
    select
        *,
        coalesce(
            check_name in ('applications', 'consent', 'lastUpdatedAt', 'expiry') and n > 0 and n < {{ var('k') }}, false
        )
        or (
            check_name = 'odd records'
            and (starts_with(subject, 'applications') or starts_with(subject, 'candidates'))
            and n < {{ var('k') }}
        )
        or coalesce(check_name = 'interval width' and n_of > n and n_of - n < {{ var('k') }}, false)
        or (check_name = 'evidence' and {{ is_hidden('n', 'check_name', 'subject') }}) as is_suppressed
    from checks
),

final as (
    select
        check_name,
        subject,
        case when not is_suppressed then n end as n,
        n_of,
        case when not is_suppressed and n_of > 0 then n / cast(n_of as double) end as share,
        case when not (is_suppressed and check_name = 'expiry') then value end as value,
        unit,
        is_suppressed
    from hidden
)

select * from final
