-- At risk means: exit after entry, lo <= best <= hi, and one row per application and question.
select
    application_key,
    question
from {{ ref('fct_time_to_event') }}
where
    is_at_risk
    and not coalesce(entry_days < exit_days_lo and exit_days_lo <= exit_days and exit_days <= exit_days_hi, false)
