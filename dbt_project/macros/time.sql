{#- Fractional days from one instant to another, never below 0; null if one is not known. -#}
{% macro days_between(from_at, to_at) -%}
    case
        when {{ to_at }} < {{ from_at }} then 0.0
        else (epoch_us({{ to_at }}) - epoch_us({{ from_at }})) / 86400e6
    end
{%- endmacro %}


{#- The calendar day of an instant in the configured time zone. -#}
{% macro local_date(at) -%}
    cast(timezone('{{ var("time_zone") }}', {{ at }}) as date)
{%- endmacro %}
