{#- Quantiles of a duration with the band that the syncs leave open: of its fewest, its best and its most days, as three
    lists. One aggregate a list: each keeps every value in memory, and a million applications have many. -#}
{% macro quantile_bands(percents, lo, at, hi) -%}
    {%- set quantiles = '[' ~ percents | map('string') | join(' / 100.0, ') ~ ' / 100.0]' -%}
    quantile_cont({{ lo }}, {{ quantiles }}) as quantiles_lo,
    quantile_cont({{ at }}, {{ quantiles }}) as quantiles,
    quantile_cont({{ hi }}, {{ quantiles }}) as quantiles_hi
{%- endmacro %}
