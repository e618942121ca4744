{#- What the source states of instants is bounded here, and nowhere else: no record is made before var `earliest`, and
    none has a past later than its own fetch. tests/source/instants_are_possible.sql tells of what is not so.

    An instant that is not possible is not known. -#}
{% macro possible_at(at, fetched_at='observed_at') -%}
    case when {{ at }} >= {{ earliest() }} and {{ at }} <= {{ fetched_at }} then {{ at }} end
{%- endmacro %}


{#- The last update, or the fetch where the source states a later one: what it is about has happened by then. -#}
{% macro possible_update_at(at, fetched_at='observed_at') -%}
    case when {{ at }} >= {{ earliest() }} then least({{ at }}, {{ fetched_at }}) end
{%- endmacro %}


{% macro earliest() -%}
    cast('{{ var("earliest") }} 00:00:00+00' as timestamptz)
{%- endmacro %}


{#- The columns of each model that hold instants as the source states them. -#}
{% macro stated_instants() -%}
    {{ return({
        'jobs': ['opened_at', 'remote_created_at', 'remote_updated_at'],
        'candidates': ['remote_created_at'],
        'applications': ['remote_created_at', 'remote_updated_at'],
    }) }}
{%- endmacro %}
