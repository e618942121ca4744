{{ stage_applications('ats_history') }}
