{#- Whether a group of a shared model has to be hidden: it has fewer than k people, or it is the next smallest of its
    family. Without the second, the family's total less the groups shown would give the hidden one away.
    `family` partitions groups that add up to a total; `key` breaks ties, so that a rebuild hides the same. -#}
{% macro is_hidden(n, family, key) -%}
    (
        row_number() over (partition by {{ family }} order by {{ n }}, {{ key }})
        <= count(*) filter (where {{ n }} < {{ var('k') }}) over (partition by {{ family }})
        + cast(min({{ n }}) over (partition by {{ family }}) < {{ var('k') }} as integer)
    )
{%- endmacro %}
