{#- A share, and null below the minimum number of cases. -#}
{% macro rate(numerator, denominator) -%}
    case when {{ denominator }} >= {{ var('minimum_n') }} then {{ numerator }} / cast({{ denominator }} as double) end
{%- endmacro %}


{#- One end of Wilson's 95 % score interval of a share; null below the minimum number of cases. Unlike the usual
    p +- z * se it stays within [0, 1] and keeps its width at shares of 0 and 1. -#}
{% macro wilson(numerator, denominator, end) -%}
    {%- set z = 1.959963984540054 -%}
    {%- set n = 'cast(' ~ denominator ~ ' as double)' -%}
    {%- set p = '(' ~ numerator ~ ' / ' ~ n ~ ')' -%}
    {%- set middle = p ~ ' + ' ~ z * z / 2 ~ ' / ' ~ n -%}
    {%- set half = z ~ ' * sqrt((' ~ p ~ ' * (1 - ' ~ p ~ ') + ' ~ z * z / 4 ~ ' / ' ~ n ~ ') / ' ~ n ~ ')' -%}
    {%- set scale = '(1 + ' ~ z * z ~ ' / ' ~ n ~ ')' -%}
    {%- if end == 'low' -%}
        {%- set limit = 'greatest(0.0, (' ~ middle ~ ' - ' ~ half ~ ') / ' ~ scale ~ ')' -%}
    {%- else -%}
        {%- set limit = 'least(1.0, (' ~ middle ~ ' + ' ~ half ~ ') / ' ~ scale ~ ')' -%}
    {%- endif -%}
    case when {{ denominator }} >= {{ var('minimum_n') }} then {{ limit }} end
{%- endmacro %}


{#- One end of the 95 % log-log interval of a probability that a curve tells, by its standard error (Kalbfleisch and
    Prentice 1980). Unlike p +- z * se it stays within [0, 1]. At 0 and 1 there is no width to tell, so it is null. -#}
{% macro log_log(probability, std_error, end) -%}
    {%- set z = 1.959963984540054 if end == 'low' else -1.959963984540054 -%}
    case
        when {{ probability }} > 0 and {{ probability }} < 1
            then pow(
                {{ probability }}, exp({{ -z }} * {{ std_error }} / ({{ probability }} * ln({{ probability }})))
            )
    end
{%- endmacro %}
