{%- set sums = [
    'n_moved_on', 'n_out', 'n_waiting', 'n_hired', 'n_declined', 'n_vanished', 'n_expired', 'n_expired_reached',
    'n_in_closed_job_reached'
] -%}

with

cohorts as (
    select
        funnel.cohort_grain,
        funnel.cohort_on,
        funnel.scope_key as source,
        cast(date_trunc('quarter', funnel.cohort_on) as date) as quarter_on,
        funnel.n_cohort,
        funnel.n_left_truncated,
        funnel.n_unknown,
        funnel.n_qualified,
        funnel.n_qualification_known,
        {% for n in sums -%}
            funnel.{{ n }},
        {% endfor -%}
        suppressed.is_suppressed
    from {{ ref('int_funnel_cohort') }} as funnel
    inner join {{ ref('int_funnel_suppression') }} as suppressed
        on
            funnel.cohort_grain = suppressed.cohort_grain
            and funnel.cohort_on = suppressed.cohort_on
            and funnel.scope = suppressed.scope
            and funnel.scope_key = suppressed.scope_key
    where funnel.scope = 'source' and funnel.milestone = 'SCREENING'
),

-- Every application reaches the first milestone, so its rows count all applications of a source.
counted as (
    select
        source,
        if(grouping(quarter_on) = 0, 'quarter', 'all') as period_grain,
        quarter_on as period_on,
        cast(sum(n_cohort) as bigint) as n_applications,
        {{ sum_where('n_cohort', 'is_suppressed') }} as n_in_hidden_months,
        cast(sum(n_left_truncated) as bigint) as n_left_truncated,
        {% for n in sums -%}
            cast(sum({{ n }}) as bigint) as {{ n }},
        {% endfor -%}
        cast(sum(n_unknown) as bigint) as n_unknown,
        cast(sum(n_qualified) as bigint) as n_qualified,
        cast(sum(n_qualification_known) as bigint) as n_qualification_known
    from cohorts
    where cohort_grain = 'month'
    group by grouping sets ((source), (source, quarter_on))
),

hidden_weeks as (
    select
        source,
        {{ sum_where('n_cohort', 'is_suppressed') }} as n_in_hidden_weeks
    from cohorts
    where cohort_grain = 'week'
    group by source
),

-- A total less its shown parts can give away a hidden part of fewer than k. Such a total is hidden, too.
quarters as (
    select
        source,
        period_on,
        n_applications,
        {{ is_hidden('if(is_telltale, 0, n_applications)', 'period_on', 'source') }} as is_suppressed
    from (
        select
            *,
            n_in_hidden_months > 0 and n_in_hidden_months < {{ var('k') }} as is_telltale
        from counted
    ) as told
    where period_grain = 'quarter'
),

hidden_quarters as (
    select
        source,
        {{ sum_where('n_applications', 'is_suppressed') }} as n_in_hidden_quarters
    from quarters
    group by source
),

telltales as (
    select
        counted.source,
        counted.n_applications,
        (counted.n_in_hidden_months > 0 and counted.n_in_hidden_months < {{ var('k') }})
        or (weeks.n_in_hidden_weeks > 0 and weeks.n_in_hidden_weeks < {{ var('k') }})
        or (quarters.n_in_hidden_quarters > 0 and quarters.n_in_hidden_quarters < {{ var('k') }}) as is_telltale
    from counted
    inner join hidden_weeks as weeks on counted.source = weeks.source
    inner join hidden_quarters as quarters on counted.source = quarters.source
    where counted.period_grain = 'all'
),

totals as (
    select
        source,
        {{ is_hidden('if(is_telltale, 0, n_applications)', '1', 'source') }} as is_suppressed
    from telltales
),

-- Curves by source, and by source and quarter of applying.
curves as (
    select
        question,
        if(scope = 'source', scope_key, left(scope_key, len(scope_key) - 11)) as source,
        if(scope = 'source', null, cast(right(scope_key, 10) as date)) as period_on,
        bound,
        day,
        starts_at_days,
        ends_at_days,
        survival,
        incidence_hired,
        incidence_hired_std_error
    from {{ ref('int_survival') }}
    where scope in ('source', 'source_quarter') and question in ('decision', 'hire')
),

-- A curve's value at an age that it reaches is that of its last step until then. A curve that begins later than the
-- application says nothing of what happens by an age.
told as (
    select
        question,
        source,
        period_on,
        bound,
        {% for age in [60, 90] -%}
            case
                when max(starts_at_days) <= 0 and max(ends_at_days) >= {{ age }}
                    then coalesce(max_by(incidence_hired, day) filter (where day <= {{ age }}), 0)
            end as incidence_{{ age }}d,
            case
                when max(starts_at_days) <= 0 and max(ends_at_days) >= {{ age }}
                    then coalesce(max_by(incidence_hired_std_error, day) filter (where day <= {{ age }}), 0)
            end as std_error_{{ age }}d,
        {% endfor -%}
        max(starts_at_days) as starts_at_days,
        min(day) filter (where survival <= 0.5) as median_days
    from curves
    group by question, source, period_on, bound
),

ribbons as (
    select
        source,
        period_on,
        max(starts_at_days) filter (where question = 'hire') as starts_at_days,
        {% for age in [60, 90] -%}
            min(incidence_{{ age }}d) filter (where question = 'hire') as incidence_{{ age }}d_lo,
            max(incidence_{{ age }}d) filter (where question = 'hire') as incidence_{{ age }}d_hi,
            max(std_error_{{ age }}d) filter (where question = 'hire') as std_error_{{ age }}d,
        {% endfor -%}
        min(median_days) filter (where question = 'decision') as median_days_lo,
        max(median_days) filter (where question = 'decision') as median_days_hi
    from told
    group by source, period_on
),

shown as (
    select
        counted.source,
        counted.period_grain,
        counted.period_on,
        coalesce(quarters.is_suppressed, totals.is_suppressed) as is_suppressed,
        {% for n in ['n_applications', 'n_unknown', 'n_qualified', 'n_qualification_known'] + sums -%}
            case when not coalesce(quarters.is_suppressed, totals.is_suppressed) then counted.{{ n }} end as {{ n }},
        {% endfor -%}
        {% for figure in [
            'starts_at_days', 'incidence_60d_lo', 'incidence_60d_hi', 'std_error_60d', 'incidence_90d_lo',
            'incidence_90d_hi', 'std_error_90d', 'median_days_lo', 'median_days_hi'
        ] -%}
            case when not coalesce(quarters.is_suppressed, totals.is_suppressed) then ribbons.{{ figure }} end
                as {{ figure }},
        {% endfor -%}
        counted.n_left_truncated > 0 as is_left_truncated
    from counted
    left join quarters
        on
            counted.period_grain = 'quarter'
            and counted.source = quarters.source
            and counted.period_on = quarters.period_on
    left join totals on counted.period_grain = 'all' and counted.source = totals.source
    left join ribbons
        on counted.source = ribbons.source and counted.period_on is not distinct from ribbons.period_on
),

based as (
    select
        *,
        n_moved_on + n_out as n_mature,
        n_hired + n_declined + n_vanished as n_resolved
    from shown
),

sources as (
    select * from {{ ref('int_source') }}
),

final as (
    select
        based.source as source_key,
        sources.source,
        coalesce(sources.channel, 'OTHER') as channel,
        based.period_grain,
        coalesce(strftime(based.period_on, '%Y-%m'), 'all') as period_key,
        based.period_on,
        based.n_applications,
        based.n_unknown,
        based.n_applications - based.n_resolved - based.n_expired_reached as n_waiting,
        based.n_in_closed_job_reached as n_in_closed_job,
        based.n_hired,
        based.n_declined,
        based.n_vanished,
        based.n_expired_reached as n_expired,
        based.n_qualified,
        based.n_qualification_known,
        {{ rate('based.n_qualified', 'based.n_qualification_known') }} as share_qualified,
        {{ wilson('based.n_qualified', 'based.n_qualification_known', 'low') }} as share_qualified_wilson_low,
        {{ wilson('based.n_qualified', 'based.n_qualification_known', 'high') }} as share_qualified_wilson_high,
        {{ rate('based.n_moved_on', 'based.n_mature') }} as pass_through,
        {{ wilson('based.n_moved_on', 'based.n_mature', 'low') }} as pass_through_wilson_low,
        {{ wilson('based.n_moved_on', 'based.n_mature', 'high') }} as pass_through_wilson_high,
        {{ rate('based.n_moved_on', 'based.n_applications') }} as pass_through_low,
        {{ rate('(based.n_moved_on + based.n_waiting + based.n_expired)', 'based.n_applications') }}
            as pass_through_high,
        {{ rate('based.n_hired', 'based.n_resolved') }} as hire_rate,
        {{ wilson('based.n_hired', 'based.n_resolved', 'low') }} as hire_rate_wilson_low,
        {{ wilson('based.n_hired', 'based.n_resolved', 'high') }} as hire_rate_wilson_high,
        {{ rate('based.n_hired', 'based.n_applications') }} as hire_rate_low,
        {{ rate('(based.n_applications - based.n_declined - based.n_vanished)', 'based.n_applications') }}
            as hire_rate_high,
        based.starts_at_days as incidence_starts_at_days,
        based.incidence_60d_lo as incidence_hired_60d_lo,
        based.incidence_60d_hi as incidence_hired_60d_hi,
        based.std_error_60d as incidence_hired_60d_std_error,
        based.incidence_90d_lo as incidence_hired_90d_lo,
        based.incidence_90d_hi as incidence_hired_90d_hi,
        based.std_error_90d as incidence_hired_90d_std_error,
        based.median_days_lo as days_to_decision_p50_lo,
        based.median_days_hi as days_to_decision_p50_hi,
        based.is_left_truncated,
        based.is_suppressed
    from based
    left join sources on based.source = sources.source
)

select * from final
