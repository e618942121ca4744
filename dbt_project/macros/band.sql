{#- Quantiles of a duration with the band that the syncs leave open: of its fewest, its best and its most days. -#}
{% macro quantile_band(name, quantile, lo, at, hi) -%}
    {% for suffix, days in [('_lo', lo), ('', at), ('_hi', hi)] -%}
        quantile_cont({{ days }}, {{ quantile }}) as {{ name }}{{ suffix }}{{ ',' if not loop.last }}
    {% endfor %}
{%- endmacro %}
