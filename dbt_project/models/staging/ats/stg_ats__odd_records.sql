{#- What the source sent that can't be so, or is not there: one family per test in tests/source, all of one shape. -#}
{%- set names = {'jobs': 'name', 'application_stages': 'name', 'screening_questions': 'title'} -%}

with

{% for model, columns in stated_instants().items() -%}
    {{ model }} as (
        select * from {{ source('ats', model) }}
        where remote_deleted_at is null
    ),

{% endfor -%}
impossible_instants as (
    {% for model, columns in stated_instants().items() -%}
        {% set is_last_model = loop.last -%}
        {% for column in columns -%}
            select
                'instants_are_possible' as check_name,
                '{{ model }}' as model,
                remote_id as record_id,
                '{{ column }}' as field,
                if({{ column }} > observed_at, 'lies in the future', 'lies before {{ var("earliest") }}') as fault
            from {{ model }}
            where {{ column }} > observed_at or {{ column }} < {{ earliest() }}
            {{ 'union all' if not (is_last_model and loop.last) }}
        {% endfor -%}
    {% endfor -%}
),

-- Where both are possible and in the wrong order, both are kept: bounds hold whatever their order.
updated_before_creation as (
    {% for model, columns in stated_instants().items() if 'remote_updated_at' in columns -%}
        select
            'instants_are_possible' as check_name,
            '{{ model }}' as model,
            remote_id as record_id,
            'remote_updated_at' as field,
            'lies before its creation' as fault
        from {{ model }}
        where
            remote_updated_at < remote_created_at
            and remote_updated_at >= {{ earliest() }}
            and remote_created_at <= observed_at
        {{ 'union all' if not loop.last }}
    {% endfor -%}
),

ids_alone as (
    {% for model in references() -%}
        select
            'records_are_listed' as check_name,
            '{{ model }}' as model,
            id as record_id,
            'id' as field,
            'is all that is known' as fault
        from ({{ known_by_id(model) }}) as named
        {{ 'union all' if not loop.last }}
    {% endfor -%}
),

nameless as (
    {% for model, column in names.items() -%}
        select
            'names_are_given' as check_name,
            '{{ model }}' as model,
            remote_id as record_id,
            '{{ column }}' as field,
            'is empty' as fault
        from {{ source('ats', model) }}
        where remote_deleted_at is null and trim(coalesce({{ column }}, '')) = ''
        union all
    {% endfor -%}
    select
        'names_are_given' as check_name,
        'tags' as model,
        tags.id as record_id,
        'name' as field,
        'is empty' as fault
    from {{ source('ats', 'tags') }} as tags
    left join {{ source('ats_personal', 'tags') }} as texts on tags.id = texts.id
    where tags.remote_deleted_at is null and trim(coalesce(texts.name, '')) = ''
),

final as (
    select * from impossible_instants
    union all
    select * from updated_before_creation
    union all
    select * from ids_alone
    union all
    select * from nameless
)

select * from final
