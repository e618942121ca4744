{#- A model's pseudonyms: the record's `id`, and the `pseudonym` that readers get in its place. -#}
{% macro pseudonyms_of(model) -%}
    select
        id,
        pseudonym
    from {{ source('ats', 'pseudonyms') }}
    where model = '{{ model }}'
{%- endmacro %}
