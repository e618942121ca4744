-- The ATS lists every record that another one names. Marts know a record that it does not list, or that could not be
-- read, by its id alone. A full sync reads the lists again: `join-pipeline sync --mode full`.
select
    model,
    record_id,
    field,
    fault
from {{ ref('stg_ats__odd_records') }}
where check_name = 'records_are_listed'
