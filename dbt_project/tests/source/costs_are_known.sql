-- Sources in the file of costs from which no application came.
select distinct scope_key
from {{ ref('mart_cost_per_hire') }}
where scope = 'source' and not is_known
