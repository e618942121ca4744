{{ stage_jobs('ats') }}
