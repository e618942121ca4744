-- Sources that the map of channels does not name: they count as OTHER. Name them in the seed, or in your own CSV.
select source
from {{ ref('dim_source') }}
where not is_mapped
