"""Actions: creating applications and candidates at JOIN, downloading attachments, and any other call of its API.

Belongs here: plain functions that the command line, Dagster and programs call alike. Not here: what a sync does (sync).
No log, error or file name here holds anything of a person.
"""
