"""A source that nobody's map knows and few people came by is a number, the same one in every table."""

import duckdb

from join_pipeline.suppression.rare import rename_rare_sources

K = 3


def test_rare_words_are_numbers_in_every_table() -> None:
    with duckdb.connect() as con:
        con.execute("CREATE TABLE dim_source (source VARCHAR, is_mapped BOOLEAN)")
        con.execute(
            """INSERT INTO dim_source VALUES
            ('indeed', true), ('by Anna Example', false), ('fair', false), ('once', false), ('thrice by one', false)"""
        )
        con.execute("CREATE TABLE fct_application (source VARCHAR, candidate_key VARCHAR)")
        con.execute(
            """INSERT INTO fct_application VALUES ('indeed', 'a'), ('by Anna Example', 'b'), ('by Anna Example', 'c'),
            ('fair', 'd'), ('fair', 'e'), ('fair', 'f'), ('thrice by one', 'g'), ('thrice by one', 'g'),
            ('thrice by one', 'g'), (NULL, 'h')"""
        )
        con.execute("CREATE TABLE mart_cost_per_hire AS SELECT 'by Anna Example' AS source")
        con.execute("CREATE TABLE mart_scopes (scope VARCHAR, scope_key VARCHAR, source VARCHAR)")
        con.execute(
            """INSERT INTO mart_scopes VALUES ('source', 'by Anna Example', 'by Anna Example'),
            ('job', 'by Anna Example', NULL), ('job_source', 'job/by Anna Example', 'by Anna Example'),
            ('job_source', 'job/fair', 'fair')"""
        )
        con.execute("CREATE VIEW view_of_sources AS FROM dim_source")
        assert rename_rare_sources(con, K) == (3, 5)
        assert con.execute("SELECT source FROM view_of_sources ORDER BY ALL").fetchall() == [
            ("(rare 1)",),
            ("(rare 2)",),
            ("(rare 3)",),
            ("fair",),
            ("indeed",),
        ]
        assert con.execute("SELECT DISTINCT source FROM fct_application ORDER BY ALL").fetchall() == [
            ("(rare 1)",),
            ("(rare 3)",),
            ("fair",),
            ("indeed",),
            (None,),
        ]
        assert con.execute("FROM mart_scopes").fetchall() == [
            ("source", "(rare 1)", "(rare 1)"),
            ("job", "by Anna Example", None),
            ("job_source", "job/(rare 1)", "(rare 1)"),
            ("job_source", "job/fair", "fair"),
        ]
        assert con.execute("FROM mart_cost_per_hire").fetchall() == [("by Anna Example",)], "the user named it"


def test_nothing_is_renamed_where_every_word_is_known_or_common() -> None:
    with duckdb.connect() as con:
        con.execute("CREATE TABLE dim_source AS SELECT 'indeed' AS source, true AS is_mapped")
        con.execute("CREATE TABLE fct_application AS SELECT 'indeed' AS source, 'a' AS candidate_key")
        assert rename_rare_sources(con, K) == (0, 1)
        assert con.execute("SELECT source FROM fct_application").fetchall() == [("indeed",)]
