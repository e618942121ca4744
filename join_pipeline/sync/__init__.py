"""One sync: plan, extract, derive the versions, commit."""
