{#- Quantiles of a duration with the band that the syncs leave open: three lists, of its fewest, best and most days. One
    aggregate makes a whole list, because each aggregate keeps every value in memory. -#}
{% macro quantile_bands(percents, lo, at, hi) -%}
    {%- set quantiles = '[' ~ percents | map('string') | join(' / 100.0, ') ~ ' / 100.0]' -%}
    quantile_cont({{ lo }}, {{ quantiles }}) as quantiles_lo,
    quantile_cont({{ at }}, {{ quantiles }}) as quantiles,
    quantile_cont({{ hi }}, {{ quantiles }}) as quantiles_hi
{%- endmacro %}
