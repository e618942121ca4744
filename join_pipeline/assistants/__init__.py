"""Assistants: the published file for a person's assistant, over the Model Context Protocol.

Belongs here: what an assistant may ask, and its limits. Not here: the marts (dbt), queries of people
(warehouse.query).
"""
