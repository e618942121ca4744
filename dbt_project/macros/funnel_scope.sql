{#- Scope and its key, for a grouping by nothing, by job_id or by source. -#}
{% macro funnel_scope() -%}
    case
        when grouping(job_id) = 0 then 'job'
        when grouping(source) = 0 then 'source'
        else 'overall'
    end as scope,
    coalesce(job_id, source, 'all') as scope_key
{%- endmacro %}
