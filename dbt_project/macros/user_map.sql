{#- A map that users may edit: the rows of the user's own CSV file, and the seed's rows for other names. Names are
    compared by `name_key`. -#}
{% macro user_map(seed, csv, name, value) -%}
    select
        {{ name_key(name) }} as {{ name }},
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
        from read_csv('{{ csv | replace("'", "''") }}', header = true, all_varchar = true, delim = ',', quote = '"')
    {%- endif %}
    )
    group by {{ name_key(name) }}
{%- endmacro %}
