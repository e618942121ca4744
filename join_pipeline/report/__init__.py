"""The report: one HTML file that answers, for people who look, what the marts answer for people who query.

Belongs here: reading shared models (data, queries), charts, texts in two languages, the page. Not here: computing
anything that a mart should hold; the page itself only adds up what the marts show.
"""
