{#- A sum over the rows that meet a condition: zero, not null, where none does. -#}
{% macro sum_where(n, condition) -%}
    cast(coalesce(sum({{ n }}) filter (where {{ condition }}), 0) as bigint)
{%- endmacro %}
