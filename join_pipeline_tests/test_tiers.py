"""The tiers lose no test: `make test` or `make test-all` runs each one, and only one of them does."""

import re
import shlex

import pytest

from join_pipeline_tests.tiers import COLLECTED, HERE, LEFT_OUT

ROOT = HERE.parent
MAKEFILE = (ROOT / "Makefile").read_text()
A_TEST = re.compile(r"^\s*(?:async )?def test_|^class Test", re.MULTILINE)


def played_by(target: str) -> list[str]:
    """How a target of the Makefile starts pytest: the arguments behind its name."""
    recipe = re.search(rf"^{target}:.*\n\t@(.*)$", MAKEFILE, re.MULTILINE)
    variable = re.search(r"^PYTEST := (.*)$", MAKEFILE, re.MULTILINE)
    assert recipe
    assert variable
    return shlex.split(recipe[1].replace("$(PYTEST)", variable[1]).partition("pytest ")[2])


def test_slow_tests_are_for_one_target_and_all_others_for_the_other() -> None:
    quick = played_by("test")
    assert not {"-m", "-k", "--ignore", "--deselect"} & set(quick)
    assert [argument for argument in quick if argument.startswith("join_pipeline_tests")] == []
    assert played_by("test-all") == [*quick, "-m", "slow"]
    assert set(re.findall(r"^make (test\S*)", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)) == {"test", "test-all"}


def test_what_is_left_out_is_slow_and_nothing_else(request: pytest.FixtureRequest) -> None:
    """Of this very run, unless somebody chose tests in another way."""
    collected, left_out = request.config.stash[COLLECTED], request.config.stash[LEFT_OUT]
    assert request.node.nodeid in collected.keys() - left_out
    if request.config.option.markexpr == "not slow" and not request.config.option.keyword:
        assert left_out == {test for test, is_slow in collected.items() if is_slow}


def test_every_file_with_a_test_is_one_that_pytest_looks_into() -> None:
    holders = [path for path in HERE.rglob("*.py") if A_TEST.search(path.read_text())]
    assert len(holders) > 80
    assert [path for path in holders if not path.name.startswith("test_")] == []


def test_the_unit_tests_mirror_the_package_and_need_no_dbt() -> None:
    unit, package = HERE / "unit", ROOT / "join_pipeline"
    rooms = {path.relative_to(unit).parent for path in unit.rglob("test_*.py")}
    assert [room for room in rooms if not (package / room).is_dir()] == []
    heavy = re.compile(r"^\s*(?:import|from) (dbt|dagster|playwright)\b", re.MULTILINE)
    found = {path.relative_to(unit): heavy.findall(path.read_text()) for path in unit.rglob("*.py")}
    assert {path: names for path, names in found.items() if names} == {}
