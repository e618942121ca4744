{#- Of which questions each cause is an end: a stay at a milestone ends by moving on, of which a hire is one way. -#}
{%- set told = {
    'hired': "curves.question = 'hire'",
    'declined': 'variances.day is not null',
    'vanished': 'variances.day is not null',
    'moved': "curves.question <> 'hire'",
} -%}

with

subjects as (
    select
        question,
        job_id,
        source,
        origin_at,
        event,
        is_perhaps_expired,
        entry_days,
        exit_days_lo,
        exit_days_hi
    from {{ ref('fct_time_to_event') }}
    where is_at_risk
),

bounds as (
    select * from {{ ref('int_survival_bound') }}
),

scopes as (
    select * from {{ ref('int_scope') }}
),

scoped as (
    select
        'overall' as scope,
        'all' as scope_key,
        *
    from subjects
    union all
    select
        'job' as scope,
        job_id as scope_key,
        *
    from subjects
    where job_id is not null
    union all
    select
        'source' as scope,
        source as scope_key,
        *
    from subjects
    where source is not null
    union all
    select
        'source_quarter' as scope,
        concat_ws('/', source, cast(date_trunc('quarter', {{ local_date('origin_at') }}) as date)) as scope_key,
        *
    from subjects
    where source is not null and question in ('decision', 'hire')
    {% for scope in told_scopes() -%}
        union all
        select
            '{{ scope }}' as scope,
            scopes.{{ scopes()[scope] }} as scope_key,
            subjects.*
        from subjects
        inner join scopes
            on
                coalesce(subjects.job_id, 'unknown') = scopes.job_id
                and coalesce(subjects.source, 'unknown') = scopes.source
        where
            scopes.{{ scopes()[scope] }} is not null
            and ('{{ scope }}' <> 'job_source' or subjects.question in ('decision', 'hire'))
    {% endfor %}
),

-- A group that never has enough people at risk has no curve.
sizes as (
    select
        question,
        scope,
        scope_key,
        count(*) as n_subjects
    from scoped
    group by question, scope, scope_key
    having count(*) >= {{ var('minimum_n') }}
),

-- Large groups are computed over whole hours, since a second would not show: this bounds the number of distinct
-- instants, and with it the work. Hours end with their days, so no event counts a day late. Quarters are shown at two
-- ages only, and other scopes repeat the people of jobs and sources, so all of these are computed over hours.
curve_groups as (
    select
        *,
        row_number() over (order by question, scope, scope_key) as group_number,
        case
            when n_subjects > {{ var('exact_up_to') }} or scope not in ('overall', 'job', 'source') then 24
        end as per_day
    from sizes
    where scope not in ('job', 'job_source', 'source_quarter') or question in ('decision', 'hire')
),

curves as (
    select
        curve_groups.group_number,
        curve_groups.question,
        curve_groups.scope,
        curve_groups.scope_key,
        curve_groups.n_subjects,
        bounds.bound,
        bounds.is_hired_hi,
        bounds.is_declined_hi,
        bounds.is_vanished_hi,
        row_number() over (order by curve_groups.group_number, bounds.bound) as curve_number
    from curve_groups
    inner join bounds on curve_groups.question = bounds.question and curve_groups.scope = bounds.scope
),

-- Entries are rounded down and exits up: an application that was at risk for a minute is at risk for an hour, not
-- never.
spells as (
    select
        curve_groups.group_number,
        scoped.event,
        coalesce(scoped.is_perhaps_expired, false) as is_perhaps_expired,
        coalesce(floor(scoped.entry_days * curve_groups.per_day) / curve_groups.per_day, scoped.entry_days)
            as entry_days,
        coalesce(ceil(scoped.exit_days_lo * curve_groups.per_day) / curve_groups.per_day, scoped.exit_days_lo)
            as exit_days_lo,
        coalesce(ceil(scoped.exit_days_hi * curve_groups.per_day) / curve_groups.per_day, scoped.exit_days_hi)
            as exit_days_hi
    from scoped
    inner join curve_groups
        on
            scoped.question = curve_groups.question
            and scoped.scope = curve_groups.scope
            and scoped.scope_key = curve_groups.scope_key
),

group_exits as (
    select
        group_number,
        event,
        is_perhaps_expired,
        exit_days_lo,
        exit_days_hi,
        cast(count(*) as double) as n
    from spells
    group by all
),

group_entries as (
    select
        group_number,
        entry_days,
        cast(count(*) as double) as n
    from spells
    group by all
),

-- From here on there is one row per curve and distinct instant, with entries, exits and causes. Counts are doubles:
-- running sums of them are exact, too, and cost a third of those of integers. Who may have withdrawn or expired has
-- withdrawn in the curves with vanishings at lo, and is censored in those with vanishings at hi.
exits as (
    select
        curves.curve_number,
        case
            when group_exits.is_perhaps_expired and curves.is_vanished_hi then group_exits.exit_days_lo
            when group_exits.event = 'HIRED'
                then if(curves.is_hired_hi, group_exits.exit_days_hi, group_exits.exit_days_lo)
            when group_exits.event = 'DECLINED'
                then if(curves.is_declined_hi, group_exits.exit_days_hi, group_exits.exit_days_lo)
            when group_exits.event = 'VANISHED'
                then if(curves.is_vanished_hi, group_exits.exit_days_hi, group_exits.exit_days_lo)
            when curves.bound = 'lo' then group_exits.exit_days_lo
            else group_exits.exit_days_hi
        end as days,
        cast(0 as double) as n_in,
        group_exits.n as n_out,
        case when not (group_exits.is_perhaps_expired and curves.is_vanished_hi) then group_exits.event end as event,
        case
            when
                group_exits.event is not null and not (group_exits.is_perhaps_expired and curves.is_vanished_hi)
                then group_exits.n
        end as n_events
    from group_exits
    inner join curves on group_exits.group_number = curves.group_number
),

entries as (
    select
        curves.curve_number,
        group_entries.entry_days as days,
        group_entries.n as n_in,
        cast(0 as double) as n_out,
        null as event,
        null as n_events
    from group_entries
    inner join curves on group_entries.group_number = curves.group_number
),

comings_and_goings as (
    select * from entries
    union all
    select * from exits
),

instants as (
    select
        curve_number,
        days,
        sum(n_in) as n_in,
        sum(n_out) as n_out,
        sum(n_events) as d,
        coalesce(sum(n_events) filter (where event = 'HIRED'), 0) as d_hired,
        coalesce(sum(n_events) filter (where event = 'DECLINED'), 0) as d_declined,
        coalesce(sum(n_events) filter (where event = 'VANISHED'), 0) as d_vanished,
        coalesce(sum(n_events) filter (where event in ('MOVED', 'HIRED')), 0) as d_moved
    from comings_and_goings
    group by curve_number, days
),

-- An application is at risk at an instant if it entered before it and did not exit before it.
at_risk as (
    select
        *,
        sum(n_in - n_out) over history as n_after,
        n_after - n_in + n_out as n
    from instants
    window history as (partition by curve_number order by days rows between unbounded preceding and current row)
),

starts as (
    select
        curve_number,
        min(days) as starts_at_days
    from at_risk
    where n_after >= {{ var('minimum_n') }}
    group by curve_number
),

spans as (
    select
        starts.curve_number,
        starts.starts_at_days,
        min(at_risk.days) as ends_at_days
    from starts
    inner join at_risk
        on
            starts.curve_number = at_risk.curve_number
            and starts.starts_at_days < at_risk.days
            and at_risk.n_after < {{ var('minimum_n') }}
    group by starts.curve_number, starts.starts_at_days
),

steps as (
    select
        at_risk.curve_number,
        at_risk.days,
        cast(ceil(at_risk.days) as integer) as day,
        curves.question <> 'decision' as is_competing,
        at_risk.n,
        at_risk.d,
        at_risk.d_hired,
        at_risk.d_declined,
        at_risk.d_vanished,
        at_risk.d_moved,
        at_risk.d / nullif(at_risk.n * (at_risk.n - at_risk.d), 0) as hazard_variance
    from at_risk
    inner join spans on at_risk.curve_number = spans.curve_number
    inner join curves on at_risk.curve_number = curves.curve_number
    where at_risk.d > 0 and at_risk.days > spans.starts_at_days and at_risk.days <= spans.ends_at_days
),

survivals as (
    select
        *,
        coalesce(product(1 - d / n) over before, 1) as survival_before,
        sum(hazard_variance) over history as variance,
        coalesce(lead(day) over history <> day, true) as is_last_of_day
    from steps
    window
        history as (partition by curve_number order by days rows between unbounded preceding and current row),
        before as (partition by curve_number order by days rows between unbounded preceding and 1 preceding)
),

-- Aalen–Johansen, for the questions whose ends compete: survival until the step, times each cause's share of the step.
-- A hire is a way of moving on.
incidences as (
    select
        *,
        sum(survival_before * d_hired / n) over history as incidence_hired,
        sum(survival_before * d_declined / n) over history as incidence_declined,
        sum(survival_before * d_vanished / n) over history as incidence_vanished,
        sum(survival_before * d_moved / n) over history as incidence_moved
    from survivals
    where is_competing
    window history as (partition by curve_number order by days rows between unbounded preceding and current row)
),

-- The variance of an incidence F at t, by the delta method (Marubini and Valsecchi 1995), is a sum over steps. With the
-- squares multiplied out, F(t) stands outside of the sums, so that windows can compute them, too.
variances as (
    select
        curve_number,
        day,
        is_last_of_day,
    {%- for cause in ['hired', 'declined', 'vanished', 'moved'] %}
        incidence_{{ cause }},
        pow(incidence_{{ cause }}, 2) * variance
        + sum(
            pow(incidence_{{ cause }}, 2) * hazard_variance
            + pow(survival_before, 2) * d_{{ cause }} * (n - d_{{ cause }}) / pow(n, 3)
            + 2 * incidence_{{ cause }} * survival_before * d_{{ cause }} / pow(n, 2)
        ) over history
        - 2 * incidence_{{ cause }} * sum(
            incidence_{{ cause }} * hazard_variance + survival_before * d_{{ cause }} / pow(n, 2)
        ) over history as variance_{{ cause }}{{ ',' if not loop.last }}
    {%- endfor %}
    from incidences
    window history as (partition by curve_number order by days rows between unbounded preceding and current row)
    qualify is_last_of_day
),

-- A step counts from the end of its day on.
daily as (
    select
        curve_number,
        day,
        cast(sum(d) as bigint) as n_events,
        max(n) filter (where is_last_of_day) as n_at_risk,
        min(survival_before * (1 - d / n)) as survival,
        max(variance) as variance
    from survivals
    group by curve_number, day
),

final as (
    select
        curves.question,
        curves.scope,
        curves.scope_key,
        curves.bound,
        daily.day,
        curves.n_subjects,
        spans.starts_at_days,
        spans.ends_at_days,
        cast(daily.n_at_risk as bigint) as n_at_risk,
        daily.n_events,
        daily.survival,
        daily.survival * sqrt(daily.variance) as survival_std_error,
    {%- for cause in ['hired', 'declined', 'vanished', 'moved'] %}
        case when {{ told[cause] }} then variances.incidence_{{ cause }} end as incidence_{{ cause }},
        case
            when {{ told[cause] }} and variances.day is not null then sqrt(greatest(variances.variance_{{ cause }}, 0))
        end as incidence_{{ cause }}_std_error{{ ',' if not loop.last }}
    {%- endfor %}
    from daily
    inner join curves on daily.curve_number = curves.curve_number
    inner join spans on daily.curve_number = spans.curve_number
    left join variances on daily.curve_number = variances.curve_number and daily.day = variances.day
)

select * from final
