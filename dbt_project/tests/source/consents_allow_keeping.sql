-- Nobody whose consent was rejected, or has expired, is still kept at the ATS. `join-pipeline retention due` lists
-- them.
select
    application_key,
    upper(consent_status) as consent
from {{ ref('fct_application') }}
where upper(consent_status) in ('REJECTED', 'EXPIRED') and not is_deleted
