-- Stages that the map of milestones does not name: they count as INTERIM. Name them in the seed, or in your own CSV.
select stage_name
from {{ ref('dim_stage') }}
where not is_mapped and stage_name is not null
