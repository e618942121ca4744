{#- The least age of the grid that a number of days does not exceed; null beyond the last. -#}
{% macro first_age(days) -%}
    case {% for age in var('cohort_ages') %}when {{ days }} <= {{ age }} then {{ age }} {% endfor %}end
{%- endmacro %}


{#- The greatest age of the grid that a number of days reaches; 0 before the first. -#}
{% macro last_age(days) -%}
    case {% for age in var('cohort_ages') | reverse %}when {{ days }} >= {{ age }} then {{ age }} {% endfor %}else 0 end
{%- endmacro %}
