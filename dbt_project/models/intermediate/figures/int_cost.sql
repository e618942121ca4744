{%- set columns = {
    'line_number': 'integer', 'source': 'varchar', 'month_on': 'date', 'cost': 'double', 'currency': 'varchar'
} -%}

with

rows_of_file as (
    {{ user_rows(var('cost_csv'), columns) }}
),

-- A source is named as in its first line, whatever the case of the others.
final as (
    select
        {{ name_key('source') }} as cost_source_key,
        first_value(source) over (partition by {{ name_key('source') }} order by line_number) as cost_source,
        month_on,
        cost,
        currency
    from rows_of_file
)

select * from final
