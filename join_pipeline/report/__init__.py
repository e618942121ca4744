"""The report: one HTML file with charts of the marts, for people who do not query.

Belongs here: reading shared models (data, queries), charts, texts in two languages, the page. Not here: figures that a
mart should compute. The page itself only sums up what the marts show.
"""
