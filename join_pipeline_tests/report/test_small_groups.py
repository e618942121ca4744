"""An attacker with every number of the shared tables learns of no small group more than that it is small."""

from join_pipeline_tests.privacy.attacker import attack, attack_marts
from join_pipeline_tests.privacy.attacker_waiting import attack_waiting, attack_waiting_marts
from join_pipeline_tests.report.companies import Companies


def test_an_attacker_is_told_no_small_group(companies: Companies) -> None:
    settings = companies("busy")
    n_hidden, told = attack(settings.published, settings.k)
    assert n_hidden > 100
    assert told == []


def test_the_same_attacker_is_told_many_if_each_table_hides_for_itself(companies: Companies) -> None:
    settings = companies("busy")
    _, told = attack_marts(settings.warehouse, settings.k)
    assert len(told) > 20


def test_an_attacker_in_whole_numbers_is_told_no_small_group_of_those_who_wait(companies: Companies) -> None:
    settings = companies("busy")
    n_hidden, told = attack_waiting(settings.published, settings.k)
    assert n_hidden > 30
    assert told == []
    _, told_by_marts = attack_waiting_marts(settings.warehouse, settings.k)
    assert len(told_by_marts) > 8
