{{ stage_job_hiring_team('ats') }}
