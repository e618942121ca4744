{#- CTEs that end in `periods`: the times in which a link was seen without a break, by its versions. A period lasts from
    the sync that first saw the link to the sync that established that it is gone. `shown` columns are as last seen
    within the period. -#}
{% macro link_periods(versions, keys, shown) -%}
    {%- set link = keys | join(', ') -%}
versions as (
    select * from {{ versions }}
    where sync_id in (select syncs.sync_id from {{ ref('stg_ats__syncs') }} as syncs)
),

-- a period begins with a live version that is the first, or that follows a deleted one
marked as (
    select
        *,
        remote_deleted_at is null and coalesce(lag(remote_deleted_at is not null) over history, true) as is_begin
    from versions
    window history as (partition by {{ link }} order by sync_id)
),

numbered as (
    select
        *,
        count(*) filter (where is_begin) over (partition by {{ link }} order by sync_id) as period_number
    from marked
),

periods as (
    select
        {{ link }},
        period_number,
        {% for column in shown -%}
    arg_max({{ column }}, sync_id) filter (where remote_deleted_at is null) as {{ column }},
        {% endfor -%}
        min(changed_at) as observed_from_at,
        min(remote_deleted_at) as observed_to_at
    from numbered
    where period_number > 0
    group by {{ link }}, period_number
)
{%- endmacro %}
