{{ stage_jobs('ats_history') }}
