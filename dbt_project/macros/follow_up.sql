{#-
    Visits as they were at the instant to which everybody is followed: a visit that ended later is open, and one that
    began later is left out.
-#}
{% macro followed_visits() -%}
    select
        * exclude (visit_status, exit, known_until_at, days_in_stage_lo, days_in_stage, days_in_stage_hi),
        if(is_later, 'open', visit_status) as visit_status,
        case when not is_later then exit end as exit,
        if(is_later, followed_until, least(known_until_at, followed_until)) as known_until_at,
        case
            when is_later or visit_status = 'open'
                then {{ days_between('entered_at_hi', 'least(left_at_lo, known_until_at, followed_until)') }}
            else days_in_stage_lo
        end as days_in_stage_lo,
        case when not is_later then days_in_stage end as days_in_stage,
        case when not is_later then days_in_stage_hi end as days_in_stage_hi
    from (
        select
            visits.*,
            follow_up.followed_until,
            coalesce(visits.left_at > follow_up.followed_until, false) as is_later
        from {{ ref('fct_stage_visit') }} as visits
        cross join {{ ref('int_follow_up') }} as follow_up
        where visits.entered_at <= follow_up.followed_until
    ) as followed
{%- endmacro %}
