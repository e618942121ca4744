-- Jobs, stages, tags and questions have a name. A stage without one counts as INTERIM. Name it in the ATS.
select
    model,
    record_id,
    field,
    fault
from {{ ref('stg_ats__odd_records') }}
where check_name = 'names_are_given'
