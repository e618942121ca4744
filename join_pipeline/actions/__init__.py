"""Writing to JOIN, and reading from it what is no model: applications, candidates, attachments, any call.

Belongs here: plain functions over settings and a request, for the command line, Dagster and programs alike. Not here:
what a sync does (sync). Nothing of a person is in a log, an error or a name of a file here.
"""
