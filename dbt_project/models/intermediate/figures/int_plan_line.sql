{%- set columns = {
    'line_number': 'integer', 'job': 'varchar', 'category': 'varchar', 'n_wanted': 'bigint', 'due_on': 'date',
    'counts_from_on': 'date'
} -%}

with

final as (
    {{ user_rows(var('hiring_plan_csv'), columns) }}
)

select * from final
