"""The definitions of metrics in German: all of them, and in the report's own words where the report has them."""

import csv
from pathlib import Path

from join_pipeline.report.texts import read_texts
from join_pipeline.warehouse.export import read_definitions

SEED = Path(__file__).parents[3] / "dbt_project" / "seeds" / "metric_definition.csv"


def test_every_definition_has_german_words_and_no_two_german_texts_tell_one_thing() -> None:
    with SEED.open() as file:
        english = {row["id"]: row for row in csv.DictReader(file)}
    german, texts = read_definitions("de"), read_texts()["de"]["texts"]
    assert german.keys() == english.keys(), "write new ones in join_pipeline/warehouse/words/definitions.de.json"
    for metric, told in german.items():
        assert told.keys() == english[metric].keys() - {"id"}
        assert all(told.values())
        in_report = {part: texts.get(f"definition.{metric}.{part}", told[part]) for part in told}
        assert in_report == told, "the report and the workbook say the same"
