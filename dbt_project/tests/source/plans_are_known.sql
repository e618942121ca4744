-- Jobs and categories of the hiring plan that the ATS does not have: no hire counts for them.
select line_number
from {{ ref('mart_plan_line') }}
where scope = 'line' and n_jobs = 0
