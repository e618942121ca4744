{#- The longest interval between two full syncs, in days, in which an age can be told; the share of those who came to
    the age that a rule may leave; the intervals in which it worked; the ages that are looked at. -#}
{%- set longest = 8 -%}
{%- set left_at_most = 0.05 -%}
{%- set intervals_needed = 5 -%}
{%- set ages = 20 -%}

-- A rule can delete the undecided at an age, and the decided at another time, such as some days after their decision.
-- Then decided applications are left that are older. But nearly nobody stays undecided beyond the age, from when the
-- rule began. People who lose patience at the same age would look alike, so this alone is no proof.
with

deletions as (
    select
        *,
        {{ days_between('applied_at', 'interval_ends_at') }} as age_at_end,
        {{ days_between('interval_begins_at', 'interval_ends_at') }} as interval_days
    from {{ ref('int_deletion') }}
    where coalesce(outcome not in ('HIRED', 'DECLINED'), true)
),

widths as (
    select
        greatest(ceil(quantile_cont(interval_days, 0.5)), 1) + 1 as width,
        count(*) as n
    from deletions
    having count(*) >= {{ var('minimum_n') }} and quantile_cont(interval_days, 0.5) <= {{ longest }}
),

days as (
    select
        cast(floor(age_at_end) as integer) as age,
        count(*) as n
    from deletions
    group by cast(floor(age_at_end) as integer)
),

-- From this age on, for `width` days, how many were deleted, and how many in as many days before.
windows as (
    select
        candidates.age,
        widths.width,
        sum(days.n) filter (where days.age >= candidates.age) as n_deleted,
        coalesce(sum(days.n) filter (where days.age < candidates.age), 0) as n_before
    from days as candidates
    cross join widths
    inner join days on candidates.age - widths.width <= days.age and candidates.age + widths.width > days.age
    group by candidates.age, widths.width
    having n_deleted >= {{ var('minimum_n') }} and n_deleted > 2 * n_before
    order by n_deleted - n_before desc, candidates.age asc
    limit {{ ages }}
),

begun as (
    select
        windows.age,
        windows.width,
        windows.n_deleted,
        count(distinct deletions.interval_number) as n_intervals,
        -- a few that were as old may have been withdrawn before
        quantile_disc(deletions.interval_begins_at, 0.01) as first_at,
        quantile_disc(deletions.interval_begins_at, 0.05) as begins_at
    from windows
    inner join deletions
        on windows.age <= deletions.age_at_end and windows.age + windows.width > deletions.age_at_end
    group by windows.age, windows.width, windows.n_deleted
    having n_intervals >= {{ intervals_needed }}
),

decisions as (
    select
        application_key,
        min(became_at) as decided_at
    from {{ ref('int_application_version') }}
    where outcome in ('HIRED', 'DECLINED')
    group by application_key
),

follow_up as (
    select followed_until from {{ ref('int_follow_up') }}
),

-- Until when each application was undecided. Whoever was deleted counts to the end of that interval.
lasting as (
    select
        applied.applied_at,
        coalesce(decisions.decided_at, deletions.interval_ends_at, follow_up.followed_until) as last_at
    from {{ ref('int_application_applied') }} as applied
    cross join follow_up
    left join decisions on applied.application_key = decisions.application_key
    left join deletions on applied.application_key = deletions.application_key
    where exists (select 1 from begun)
),

undecided as (
    select
        cast(floor({{ days_between('applied_at', 'last_at') }}) as integer) as age,
        date_trunc('day', last_at) as last_at,
        count(*) as n
    from lasting
    group by all
),

kept as (
    select
        begun.age,
        begun.width,
        begun.first_at,
        begun.n_deleted,
        begun.n_intervals,
        coalesce(sum(undecided.n), 0) as n_left
    from begun
    left join undecided
        on
            begun.age + begun.width + 1 <= undecided.age
            and begun.begins_at + to_days(cast(begun.width + 1 as integer)) < undecided.last_at
    group by begun.age, begun.width, begun.first_at, begun.n_deleted, begun.n_intervals
    having n_left <= {{ left_at_most }} * (n_left + begun.n_deleted)
),

-- Of the ages whose days have about as many, the least.
most as (
    select max(n_deleted) as n_deleted
    from kept
),

final as (
    select
        kept.age as age_days,
        kept.width,
        kept.first_at as begins_at,
        kept.n_deleted,
        kept.n_intervals,
        kept.n_left
    from kept
    cross join most
    where kept.n_deleted >= 0.8 * most.n_deleted
    order by kept.age
    limit 1
)

select * from final
