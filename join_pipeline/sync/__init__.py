"""One sync: plan, extract, fold, commit."""
