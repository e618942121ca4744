{{ stage_applications('ats') }}
