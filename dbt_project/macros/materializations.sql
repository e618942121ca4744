{#- Load fills a new warehouse each time, so a table or view has no predecessor that readers need meanwhile. It is made
    in its place, in one transaction. dbt's own way makes it aside, renames it and drops the old one.
    docs/developers/adr/own-materialization.md says what that costs, and what is left out here. -#}
{% materialization table, adapter='duckdb', supported_languages=['sql', 'python'] -%}
    {%- set target = this.incorporate(type='table') -%}
    {%- set is_python = model['language'] == 'python' -%}
    {%- set room = make_room() if is_python -%}
    {% if room %}{% call statement('room') %}{{ room }}{% endcall %}{% endif %}
    {% call statement('main', language=model['language']) -%}
        {% if is_python -%}
            {{- python_of(target) }}
        {%- else -%}
            {{ make_room() }}
            {{ duckdb__create_table_as(false, target, sql) }}
        {%- endif %}
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


{#- What makes the table of a Python model. The adapter gives the thread an event loop for it and leaves it open, so
    ours closes it. -#}
{% macro python_of(target) -%}
    {{ duckdb__create_table_as(false, target, compiled_code, 'python') }}


made = materialize


def materialize(df, con):
    import asyncio

    made(df, con)
    loop = asyncio.get_event_loop()
    if not loop.is_running():
        loop.close()
        asyncio.set_event_loop(None)
{%- endmacro %}
