"""Files that a user writes: their text, the rows of a CSV file, and how the names in it are compared.

Belongs here: encodings, separators, quotes, the line of each fault. Not here: which columns and words a file may have
(transform.maps, actions.written_source).
"""

import codecs
import csv
import io
import re
import stat
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from join_pipeline.errors import SettingsError, foreign

MOST_BYTES: Final = 200_000_000
LONGEST_NAME: Final = 500
LONGEST_CELL: Final = 100_000
SEPARATORS: Final = (",", ";", "\t")
# the mark of UTF-32 begins with the mark of UTF-16
MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HINT: Final = re.compile(r"\s*\"?sep=(.)\"?\s*", re.IGNORECASE)
_SHOWN: Final = 40


def name_key(text: str) -> str:
    """The form in which names are compared: case, composition and blanks do not count.

    It is letter by letter, so that the macro `name_key` of dbt gives the same: a test compares both. The dotted and
    the undotted i are one letter, as are ß and ss, because case can't be undone otherwise.
    """
    lower = "".join(_lower(_upper(_lower(letter))) for letter in unicodedata.normalize("NFC", text))
    plain = unicodedata.normalize("NFC", lower.replace("ß", "ss").replace("i\u0307", "i"))
    return " ".join(plain.split())


def decoded(content: bytes, where: str) -> str:
    """The text of a file in UTF-8, or in UTF-16 or UTF-32 if that shows; a byte order mark is no part of it.

    Raises `SettingsError` with the line. Another encoding is not guessed, because a wrong guess gives other names.
    """
    marked = next((name for mark, name in MARKS if content.startswith(mark)), None)
    encoding = marked or _unmarked(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].decode(encoding, "replace").count("\n") + 1
        said = f"not {encoding.upper().removesuffix('-SIG')}"
        raise SettingsError(f"{where}, line {line}: {said}. Save it as CSV UTF-8, or another file as UTF-8.") from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise SettingsError(f"{where}, line {line}: has a NUL character, so it is no text file. Save it as UTF-8.")
    return text.removeprefix("\ufeff")


def file_content(path: Path, where: str) -> bytes:
    """The bytes of a file. Raises `SettingsError` if it can't be read or is no plain file."""
    try:
        file = path.expanduser()
        # reading a pipe or a device could wait for ever
        if not stat.S_ISREG(file.stat().st_mode):
            raise SettingsError(f"{where} is no plain file.")
        if file.stat().st_size > MOST_BYTES:
            raise SettingsError(f"{where} is larger than {MOST_BYTES // 10**6} MB.")
        return file.read_bytes()
    except (OSError, ValueError, RuntimeError) as error:
        raise SettingsError(f"{where} can't be read ({foreign(error)}).") from None


def file_text(path: Path, where: str) -> str:
    """The text of a file. Raises `SettingsError`."""
    return decoded(file_content(path, where), where)


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One row: its line, and its cells by the names of the columns, without blanks at their ends."""

    line: int
    cells: Mapping[str, str]


def csv_rows(
    text: str, columns: tuple[str, ...], where: str, *, is_exact: bool = True, known: Collection[str] = ()
) -> Iterator[CsvRow]:
    """The rows after the header, without empty ones. The columns are separated by commas, semicolons or tabs.

    The header has these columns in this order, or, if not `is_exact`, these columns among others; with `known` the
    others are of those. Raises `SettingsError` with line and column.
    """
    lines = io.StringIO(text, newline="")
    separator, n_before = _opening(lines, columns)
    rows = _numbered(csv.reader(lines, delimiter=separator, strict=True, skipinitialspace=True), where, n_before)
    wanted = f"the header has to be {','.join(columns)}" if is_exact else f"needs the columns {' and '.join(columns)}"
    line, header = next(rows, (1, []))
    names = [name_key(name) for name in _without_empty_ends(header, 0)]
    is_right = tuple(names) == columns if is_exact else set(columns) <= set(names)
    if not is_right:
        raise SettingsError(f"{where}, line {line}: {wanted}.")
    if any(names.count(column) > 1 for column in {*columns, *known}):
        raise SettingsError(f"{where}, line {line}: the header has a column twice.")
    if known and (others := [name for name in names if name and name not in known]):
        # a column that is written wrongly would be left out in silence
        said = f"the column {others[0][:_SHOWN]!r} is not one of {', '.join(known)}"
        raise SettingsError(f"{where}, line {line}: {said}.")
    for line, row in rows:
        cells = _without_empty_ends(row, len(names))
        if len(cells) != len(names):
            raise SettingsError(f"{where}, line {line}: {len(cells)} columns, not {len(names)}.")
        yield CsvRow(line, dict(zip(names, cells, strict=True)))


def named_words(
    text: str, columns: tuple[str, str], words: tuple[str, ...], where: str, *, is_exact: bool = True
) -> Iterator[tuple[int, str, str]]:
    """Line, name and word of each row, from the two columns. A name is given once, and a word is one of `words`.

    Raises `SettingsError` with line and column.
    """
    seen: dict[str, int] = {}
    for row in csv_rows(text, columns, where, is_exact=is_exact):
        name, word = (row.cells[column] for column in columns)
        at, key = f"{where}, line {row.line}", name_key(name)
        if not key or len(name) > LONGEST_NAME:
            raise SettingsError(f"{at}, column {columns[0]}: needs 1 to {LONGEST_NAME} characters.")
        if word.upper() not in words:
            raise SettingsError(f"{at}, column {columns[1]}: {word[:_SHOWN]!r} is not one of {', '.join(words)}.")
        if key in seen:
            raise SettingsError(f"{at}, column {columns[0]}: the same name as in line {seen[key]}.")
        seen[key] = row.line
        yield row.line, name, word.upper()


def _unmarked(content: bytes) -> str:
    """UTF-8, or UTF-16 without a mark: every second byte of its first letters is zero."""
    first = content[:4]
    if len(content) % 2 == 0 and len(first) == len(MARKS[1][0]):
        if not (first[1] or first[3]) and first[0] and first[2]:
            return "utf-16-le"
        if not (first[0] or first[2]) and first[1] and first[3]:
            return "utf-16-be"
    return "utf-8"


def _opening(lines: io.StringIO, columns: tuple[str, ...]) -> tuple[str, int]:
    """The separator, and how many lines lie before the header: empty ones, and a spreadsheet's `sep=;`."""
    told, n_before = None, 0
    while True:
        start, line = lines.tell(), lines.readline()
        hint = _HINT.fullmatch(line)
        if line and (hint or not line.strip(f"\ufeff{''.join(SEPARATORS)} \r\n")):
            told, n_before = hint[1] if hint else told, n_before + 1
            continue
        lines.seek(start)
        break
    if told in SEPARATORS:
        return told, n_before

    def n_known(separator: str) -> int:
        return len(set(columns) & {name_key(cell.strip(' "')) for cell in line.split(separator)})

    return max(SEPARATORS, key=lambda separator: (n_known(separator), line.count(separator))), n_before


def _numbered(reader: Iterator[list[str]], where: str, n_before: int) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, each with the line that it begins in."""
    while True:
        line = n_before + reader.line_num + 1  # type: ignore[attr-defined]
        try:
            row = next(reader, None)
        except csv.Error as error:
            said = f"a cell has more than {LONGEST_CELL:,} characters" if "field limit" in str(error) else str(error)
            raise SettingsError(f"{where}, line {line}: {said}.") from None
        if row is None:
            return
        cells = [cell.strip() for cell in row]
        if any(len(cell) > LONGEST_CELL for cell in cells):
            raise SettingsError(f"{where}, line {line}: a cell has more than {LONGEST_CELL:,} characters.")
        if any(unicodedata.category(letter) == "Cc" and letter not in "\t\r\n" for cell in cells for letter in cell):
            raise SettingsError(f"{where}, line {line}: has a control character.")
        if any(cells):
            yield line, cells


def _without_empty_ends(cells: list[str], n: int) -> list[str]:
    """The cells without the empty ones that a spreadsheet writes after the `n` that there should be."""
    while len(cells) > n and not cells[-1]:
        cells = cells[:-1]
    return cells


def _upper(letter: str) -> str:
    return letter.upper() if len(letter.upper()) == 1 else letter


def _lower(letter: str) -> str:
    return letter.lower() if len(letter.lower()) == 1 else "i"  # İ alone becomes two
