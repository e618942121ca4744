{#- A map that users may edit: the rows of the user's own CSV file, and the seed's rows for other names. Names are
    compared in lower case. -#}
{% macro user_map(seed, csv, name, value) -%}
    select
        lower(trim({{ name }})) as {{ name }},
        arg_max(upper(trim({{ value }})), place) as {{ value }}
    from (
        select
            {{ name }},
            {{ value }},
            1 as place
        from {{ seed }}
    {% if csv -%}
        union all
        select
            {{ name }},
            {{ value }},
            2 as place
        from read_csv('{{ csv | replace("'", "''") }}', header = true, all_varchar = true)
    {%- endif %}
    )
    group by lower(trim({{ name }}))
{%- endmacro %}
