{#- The rows of a user's own file of figures, with the types of its columns; no row if the file is not set. An empty
    text is no value. -#}
{% macro user_rows(csv, columns) -%}
    select
        {% for name, type in columns.items() -%}
cast(nullif({{ name }}, '') as {{ type }}) as {{ name }}{{ ',' if not loop.last }}
{% endfor -%}
{% if csv -%}
        from read_csv(
            '{{ csv | replace("'", "''") }}',
            header = true,
            auto_detect = false,
            delim = ',',
            quote = '"',
            escape = '"',
            columns = { {% for name in columns %}'{{ name }}': 'varchar'{{ ', ' if not loop.last }}{% endfor %} }
        )
    {%- else -%}
        from (
            select {% for name in columns %}'' as {{ name }}{{ ', ' if not loop.last }}{% endfor %}
        ) as nothing
        where false
{%- endif %}
{%- endmacro %}
