"""The models equal the connector's coverage page and the privacy tiers, both written by hand here."""

import pyarrow as pa
import pytest

from join_pipeline.models import MODELS

# Fields that the connector's coverage page lists, by model.
COVERAGE = {
    "users": "id remote_id changed_at remote_deleted_at first_name last_name email",
    "jobs": "id remote_id changed_at remote_deleted_at name description employment_type status visibility category"
    " post_url experience_level salary_amount salary_amount_from salary_amount_to salary_currency salary_period"
    " location custom_fields integration_fields opened_at remote_created_at remote_updated_at contact_id remote_data",
    "candidates": "id remote_id changed_at remote_deleted_at first_name last_name source phone_numbers email_addresses"
    " location remote_created_at remote_data",
    "application_stages": "id remote_id changed_at remote_deleted_at name global_index remote_data",
    "applications": "id remote_id changed_at remote_deleted_at outcome current_stage_id job_id candidate_id"
    " remote_data",
    "screening_questions": "id remote_id changed_at remote_deleted_at title description format",
    "tags": "id remote_id changed_at remote_deleted_at name",
    "candidate_tags": "candidate_id tag_id id changed_at remote_deleted_at",
    "job_application_stages": "index job_id stage_id id changed_at remote_deleted_at",
    "job_screening_questions": "index required precondition_question_id precondition_options job_id question_id id"
    " changed_at remote_deleted_at",
    "job_hiring_team": "roles job_id user_id id changed_at remote_deleted_at",
}
# Columns beyond the page, which are marked as added. Links also have a remote_id.
ADDED = {
    "applications": "remote_created_at remote_updated_at source is_premium_source state qualified consent_status"
    " integration_external_id",
    "screening_questions": "format_type",
}
LINKS = ("candidate_tags", "job_application_stages", "job_screening_questions", "job_hiring_team")
# What is not tier 1.
TIERS = {
    2: {
        "users": "remote_id first_name last_name email",
        "candidates": "first_name last_name phone_numbers email_addresses location",
        "applications": "integration_external_id",
        "tags": "remote_id name",
        "candidate_tags": "remote_id",  # it holds the tag's text
        "job_hiring_team": "remote_id",  # it holds the user's address
    },
    3: {
        "jobs": "description integration_fields remote_data",
        "candidates": "remote_data",
        "application_stages": "remote_data",
        "applications": "remote_data",
        "screening_questions": "format",
    },
}
TEXT, INSTANT, NUMBER, WHOLE, FLAG = pa.string(), pa.timestamp("us", tz="UTC"), pa.float64(), pa.int64(), pa.bool_()
PLACE = pa.struct([(n, TEXT) for n in ("city", "country", "raw", "state", "street_1", "street_2", "zip_code")])
# Columns that are not text.
TYPES = {
    "changed_at": INSTANT,
    "remote_deleted_at": INSTANT,
    "remote_created_at": INSTANT,
    "remote_updated_at": INSTANT,
    "opened_at": INSTANT,
    "observed_at": INSTANT,
    "salary_amount": NUMBER,
    "salary_amount_from": NUMBER,
    "salary_amount_to": NUMBER,
    "global_index": WHOLE,
    "index": WHOLE,
    "required": FLAG,
    "is_premium_source": FLAG,
    "location": PLACE,
    "phone_numbers": pa.list_(pa.struct([("phone_number", TEXT), ("type", TEXT)])),
    "email_addresses": pa.list_(pa.struct([("email_address", TEXT), ("type", TEXT)])),
    "roles": pa.list_(TEXT),
    "precondition_options": pa.list_(TEXT),
}
COMMON = ["id", "remote_id", "changed_at", "remote_deleted_at"]
MODEL = pytest.mark.parametrize("name", COVERAGE)


def test_there_are_eleven_models_in_the_pages_order():
    assert list(MODELS) == list(COVERAGE)
    assert [model.name for model in MODELS.values()] == list(COVERAGE)


@MODEL
def test_every_field_of_the_coverage_page_is_a_column_and_the_rest_is_marked_as_added(name):
    columns = MODELS[name].columns
    covered, added = set(COVERAGE[name].split()), set(ADDED.get(name, "").split())
    assert {column.name for column in columns} == covered | added | ({"remote_id"} if name in LINKS else set())
    assert {column.name for column in columns if column.added} == added


@MODEL
def test_the_common_columns_come_first_and_no_name_comes_twice(name):
    names = [column.name for column in MODELS[name].version_columns]
    assert names[:4] == COMMON
    assert len(names) == len(set(names))


@MODEL
def test_every_column_has_its_privacy_tier(name):
    told = {column.name: column.tier for column in MODELS[name].version_columns}
    above = {field: tier for tier, models in TIERS.items() for field in models.get(name, "").split()}
    assert told == {field: above.get(field, 1) for field in told}


@MODEL
def test_every_column_has_its_type_and_a_meaning(name):
    for column in MODELS[name].version_columns:
        assert column.type == TYPES.get(column.name, TEXT), column.name
        assert len(column.doc) > 3, column.name
    assert MODELS[name].doc.endswith(".")


@MODEL
def test_the_version_file_and_the_personal_file_share_out_the_columns(name):
    model = MODELS[name]
    plain, personal = ([column.name for column in group] for group in (model.plain, model.personal))
    assert not set(plain) & set(personal)
    assert sorted(plain + personal) == sorted(column.name for column in model.version_columns)
    assert {"id", "sync_id"} <= set(plain)  # by which the two are joined
