{#- A model's pseudonyms: `id` of the record, `pseudonym` in its place. -#}
{% macro pseudonyms_of(model) -%}
    select
        id,
        pseudonym
    from {{ source('ats', 'pseudonyms') }}
    where model = '{{ model }}'
{%- endmacro %}
