"""The page of messages quotes messages that the package has."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "troubleshooting.md"
QUOTED = re.findall(r"^\| `([^`]+)` \|", PAGE.read_text(), re.MULTILINE)


def words() -> str:
    """Every text in the package's code, one per line, with … where a value goes."""
    found = []
    for path in (ROOT / "join_pipeline").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                found.append(
                    "".join(
                        getattr(part, "value", "…") if isinstance(part, ast.Constant) else "…" for part in node.values
                    )
                )
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return "\n".join(" ".join(text.replace("`", "").split()) for text in found)


WORDS = words()


@pytest.mark.parametrize("message", QUOTED)
def test_a_message_is_one_of_the_package(message: str) -> None:
    assert message in WORDS


def test_there_are_many_and_each_stands_once() -> None:
    assert len(QUOTED) > 25
    assert len(set(QUOTED)) == len(QUOTED)
