{{ stage_candidate_tags('ats') }}
