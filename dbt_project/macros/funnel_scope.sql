{#- The one list of scopes: what a row of a mart sums up, beside everything (`overall`). Each has a column of its keys.
    Every application has a job and a source; int_scope has the keys of the others, null where a scope tells nothing. -#}
{% macro scopes() -%}
    {{ return({
        'job': 'job_id',
        'source': 'source',
        'category': 'category_key',
        'city': 'city_key',
        'channel': 'channel_key',
        'job_source': 'job_source_key',
    }) }}
{%- endmacro %}


{#- The scopes whose keys int_scope has. -#}
{% macro told_scopes() -%}
    {{ return(scopes().keys() | reject('in', ['job', 'source']) | list) }}
{%- endmacro %}


{#- The columns of int_scope that a mart groups by. -#}
{% macro scope_keys(alias) -%}
    {%- for scope in told_scopes() -%}
        {{ alias }}.{{ scopes()[scope] }}{{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}


{#- Scope and its key, for a grouping by scope_sets. -#}
{% macro funnel_scope() -%}
    {%- set names = [] -%}
    {%- set keys = [] -%}
    {%- for scope, key in scopes().items() -%}
        {%- do names.append('when grouping(' ~ key ~ ") = 0 then '" ~ scope ~ "'") -%}
        {%- do keys.append('when grouping(' ~ key ~ ') = 0 then ' ~ key) -%}
    {%- endfor -%}
    case {{ names | join(' ') }} else 'overall' end as scope,
    case {{ keys | join(' ') }} else 'all' end as scope_key
{%- endmacro %}


{#- A grouping by these columns: once overall, once by each scope, and by the lists of columns in `more`. -#}
{% macro scope_sets(columns, more=[]) -%}
    {%- set lists = [columns | join(', ')] -%}
    {%- set told = [] -%}
    {%- for key in scopes().values() -%}
        {%- do lists.append((columns + [key]) | join(', ')) -%}
    {%- endfor -%}
    {%- for one in more -%}
        {%- do lists.append(one | join(', ')) -%}
    {%- endfor -%}
    {%- for scope in told_scopes() -%}
        {%- do told.append('(grouping(' ~ scopes()[scope] ~ ') = 1 or ' ~ scopes()[scope] ~ ' is not null)') -%}
    {%- endfor -%}
    grouping sets (({{ lists | join('), (') }}))
    having {{ told | join(' and ') }}
{%- endmacro %}


{#- The job that a scope's key names, and the source. -#}
{% macro job_of_scope(scope='scope', scope_key='scope_key') -%}
    case
        when {{ scope }} = 'job' then nullif({{ scope_key }}, 'unknown')
        when {{ scope }} = 'job_source' then nullif(split_part({{ scope_key }}, '/', 1), 'unknown')
    end
{%- endmacro %}


{% macro source_of_scope(scope='scope', scope_key='scope_key') -%}
    case
        when {{ scope }} = 'source' then nullif({{ scope_key }}, 'unknown')
        when {{ scope }} = 'job_source'
            then nullif(nullif(regexp_replace({{ scope_key }}, '^[^/]*/', ''), 'unknown'), '(other)')
    end
{%- endmacro %}


{#- Which of a scope's groups add up to a total that is shown: all of them, or the sources of one job. -#}
{% macro scope_family(scope='scope', scope_key='scope_key') -%}
    {{ scope }}, case when {{ scope }} = 'job_source' then split_part({{ scope_key }}, '/', 1) end
{%- endmacro %}
