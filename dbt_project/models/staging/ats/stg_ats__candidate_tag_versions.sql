{{ stage_candidate_tags('ats_history') }}
