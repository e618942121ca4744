"""A second way to the pipeline's numbers, written from the specification alone.

Belongs here: reading a JOIN account plainly (world), what the models must hold then (tables, with identifiers,
words and values), what the marts must say given everything that truly happened (marts), and telling how two tables
differ (compare). Not here: anything of join_pipeline. A rule that both sides took from one function proves nothing.
"""
