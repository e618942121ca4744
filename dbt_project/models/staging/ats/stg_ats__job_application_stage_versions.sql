{{ stage_job_application_stages('ats_history') }}
