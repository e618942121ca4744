{#- Quantiles of a duration with the band that the syncs leave open: three lists, of its fewest, best and most days. One
    aggregate makes a whole list, because each aggregate keeps every value in memory. Where only some of the durations
    have a bound, its quantile can lie beyond the best one, which then bounds it. -#}
{% macro quantile_bands(percents, lo, at, hi) -%}
    {%- set places = '[' ~ percents | map('string') | join(' / 100.0, ') ~ ' / 100.0]' -%}
    {%- set best = 'quantile_cont(' ~ at ~ ', ' ~ places ~ ')' -%}
    [
        if(pair[1] > pair[2], pair[2], pair[1])
        for pair in list_zip(quantile_cont({{ lo }}, {{ places }}), {{ best }})
    ] as quantiles_lo,
    {{ best }} as quantiles,
    [
        if(pair[1] < pair[2], pair[2], pair[1])
        for pair in list_zip(quantile_cont({{ hi }}, {{ places }}), {{ best }})
    ] as quantiles_hi
{%- endmacro %}
