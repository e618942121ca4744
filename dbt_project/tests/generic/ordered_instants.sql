{#- lo <= at <= hi <= as_of, for each instant named by its prefix (`decided_at` for decided_at_lo, decided_at, …). An
    unknown lo is null; at and hi are known together. -#}
{% test ordered_instants(model, instants) %}

select *
from {{ model }}
where
    {% for instant in instants -%}
    {{ 'or ' if not loop.first -}}
    {{ instant }}_lo > {{ instant }}
    or {{ instant }} > {{ instant }}_hi
    or ({{ instant }} is null) <> ({{ instant }}_hi is null)
    or {{ instant }}_hi > (select as_of.as_of from {{ ref('stg_ats__as_of') }} as as_of)
    {% endfor %}

{% endtest %}
