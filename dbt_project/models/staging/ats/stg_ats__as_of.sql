with

as_of as (
    select
        {% if var('as_of') -%}
            least(as_of, cast('{{ var("as_of") }}' as timestamptz)) as as_of
        {%- else -%}
            as_of
        {%- endif %}
    from {{ source('ats', 'as_of') }}
),

final as (
    select as_of from as_of
)

select * from final
