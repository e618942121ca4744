"""JOIN's words and ours, as the specification pairs them. Other words pass through, unless a table says otherwise."""

JOB_STATUS = {"ONLINE": "OPEN", "OFFLINE": "OPEN", "ARCHIVED": "ARCHIVED", "DRAFT": "DRAFT"}

# No entry: no outcome.
OUTCOME = {"HIRED": "HIRED", "REJECTED": "DECLINED", "APPLIED": "PENDING", "ACTIVE": "PENDING", "OFFER": "PENDING"}

SALARY_PERIOD = {f"PER_{word}": word for word in ("YEAR", "MONTH", "TWO_WEEKS", "WEEK", "DAY", "HOUR")}

# By the letters of JOIN's slug or, without one, of its name.
EMPLOYMENT_TYPE = {
    "fulltime": "FULL_TIME",
    "parttime": "PART_TIME",
    "contract": "CONTRACT",
    "seasonal": "SEASONAL",
    "internship": "INTERNSHIP",
}

# No entry: UNKNOWN. The last two rows hold our own words, should JOIN use them too.
QUESTION_TYPE = {
    "TEXT": "TEXT", "INTEGER": "NUMBER", "DATE": "DATE",
    "SINGLE_CHOICE": "SINGLE_SELECT", "MULTIPLE_CHOICE": "MULTI_SELECT",
    "NUMBER": "NUMBER", "BOOLEAN": "BOOLEAN", "FILE": "FILE", "INFORMATION": "INFORMATION",
    "SINGLE_SELECT": "SINGLE_SELECT", "MULTI_SELECT": "MULTI_SELECT",
}  # fmt: skip

TEAM_ROLES = ("HIRING_MANAGER", "RECRUITER", "COORDINATOR", "SOURCER", "INTERVIEWER")

CUSTOM_FIELDS = ("externalId", "language", "workplaceType", "remoteType", "remote")

# Payload keys of a job that some column takes; the rest are integration fields.
TAKEN_JOB_KEYS = {
    "id", "title", "status", "createdAt", "lastUpdatedAt", "description", "categoryId", "employmentTypeId",
    "seniorityId", "office", "salary", "contact", "questions", "hiringTeam", *CUSTOM_FIELDS,
}  # fmt: skip
