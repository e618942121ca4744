{#- Load fills a new warehouse each time, so a table or view has no predecessor that readers need meanwhile. It is made
    in its place, in one transaction. dbt's own way makes it aside, renames it and drops the old one.
    docs/developers/adr/own-materialization.md says what that costs, and what is left out here. -#}
{% materialization table, adapter='duckdb', supported_languages=['sql', 'python'] -%}
    {%- set target = this.incorporate(type='table') -%}
    {%- if model['language'] == 'python' -%}
        {#- a statement of Python can't begin with one of SQL -#}
        {%- set room = make_room() -%}
        {% if room %}{% call statement('room') %}{{ room }}{% endcall %}{% endif %}
        {% call statement('main', language='python') -%}
            {{- duckdb__create_table_as(false, target, compiled_code, 'python') }}
        {%- endcall %}
        {{ adapter.commit() }}
        {{ return({'relations': [target]}) }}
    {%- endif -%}
    {% call statement('main') -%}
        {{ make_room() }}
        {{ duckdb__create_table_as(false, target, sql) }}
    {%- endcall %}
    {{ adapter.commit() }}
    {{ return({'relations': [target]}) }}
{%- endmaterialization %}


{% materialization view, adapter='duckdb' -%}
    {%- set target = this.incorporate(type='view') -%}
    {% call statement('main') -%}
        {{ make_room() }}
        {{ duckdb__create_view_as(target, sql) }}
    {%- endcall %}
    {{ adapter.commit() }}
    {{ return({'relations': [target]}) }}
{%- endmaterialization %}


{#- Drops what an earlier build made of the model in the same warehouse. -#}
{% macro make_room() -%}
    {%- set existing = load_cached_relation(this) -%}
    {% if existing is not none %}drop {{ existing.type }} {{ existing }};{% endif %}
{%- endmacro %}
