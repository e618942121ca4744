-- No instant that the ATS states lies in the future of its fetch, or long before the ATS was there, and no update lies
-- before the record's creation. Marts take such an instant as not known, or as the fetch. Correct it in the ATS.
select
    model,
    record_id,
    field,
    fault
from {{ ref('stg_ats__odd_records') }}
where check_name = 'instants_are_possible'
