{#- Which columns refer to each model. -#}
{% macro references() -%}
    {{ return({
        'jobs': [
            ('applications', 'job_id'),
            ('job_application_stages', 'job_id'),
            ('job_screening_questions', 'job_id'),
            ('job_hiring_team', 'job_id'),
        ],
        'application_stages': [
            ('applications', 'current_stage_id'),
            ('job_application_stages', 'stage_id'),
        ],
        'screening_questions': [
            ('job_screening_questions', 'question_id'),
            ('job_screening_questions', 'precondition_question_id'),
        ],
        'tags': [('candidate_tags', 'tag_id')],
        'candidates': [('applications', 'candidate_id'), ('candidate_tags', 'candidate_id')],
        'users': [('jobs', 'contact_id'), ('job_hiring_team', 'user_id')],
    }) }}
{%- endmacro %}


{#- The ids of records that others name and that nobody could read: no list has them, or they broke the contract. All
    that is known of such a record is its id, and it is a row of its dimension all the same. -#}
{% macro known_by_id(model) -%}
    select distinct referenced.id
    from (
        {% for table, column in references()[model] -%}
        select {{ column }} as id from {{ source('ats_history', table) }}
        {{ 'union all' if not loop.last }}
    {% endfor -%}
    ) as referenced
    anti join {{ source('ats', model) }} as listed on referenced.id = listed.id
    where referenced.id is not null
{%- endmacro %}


{#- The newest rows of a model, and a row for each record that is known by its id alone. -#}
{% macro newest_rows(model) -%}
    select * from {{ source('ats', model) }}
    union all by name
    {{ known_by_id(model) }}
{%- endmacro %}
