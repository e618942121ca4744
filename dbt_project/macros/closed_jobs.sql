{#- The times in which a job was closed, archived or deleted. Those of one job never overlap, whatever the source
    said. -#}
{% macro closed_jobs() -%}
    select
        job_id,
        greatest(from_at, max(until_at) over before) as from_at,
        until_at
    from {{ ref('int_job_status') }}
    where status in ('ARCHIVED', 'CLOSED', 'DELETED')
    window
        before as (
            partition by job_id order by status_number rows between unbounded preceding and 1 preceding
        )
{%- endmacro %}
