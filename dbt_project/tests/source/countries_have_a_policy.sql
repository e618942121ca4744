-- Countries of jobs that the retention policy does not name: they have its fewest months. Name them in your own CSV.
select distinct country
from {{ ref('mart_retention_due') }}
where not is_mapped and country is not null
