{{ stage_job_application_stages('ats') }}
