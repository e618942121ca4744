{{ stage_job_screening_questions('ats_history') }}
