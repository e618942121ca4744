"""Reading a workbook of Excel as its XML says it, by no code of the writer.

Belongs here: cells with their kinds. Not here: what should be in them (test_query).
"""

import zipfile
from pathlib import Path
from xml.etree import ElementTree

SPACE = {"x": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
BUILT_IN = {"1": "0", "3": "#,##0"}
ENDS = ("hh:mm", "0.0%", "0.0", "yyyy-mm-dd")


def read_workbook(file: Path) -> dict[str, list[list[tuple[str, str]]]]:
    """The cells of each sheet in order: what they hold, and their kind or the end of their format."""
    with zipfile.ZipFile(file) as raw:
        names = [one.get("name", "") for one in parsed(raw, "xl/workbook.xml").iter(f"{{{SPACE['x']}}}sheet")]
        styles = parsed(raw, "xl/styles.xml")
        codes = {one.get("numFmtId"): one.get("formatCode", "") for one in styles.iter(f"{{{SPACE['x']}}}numFmt")}
        used = [codes.get(one.get("numFmtId"), one.get("numFmtId")) for one in styles.findall("x:cellXfs/x:xf", SPACE)]
        book = {}
        for number, name in enumerate(names, start=1):
            sheet = parsed(raw, f"xl/worksheets/sheet{number}.xml")
            book[name] = [
                [_cell(cell, [BUILT_IN.get(str(one), str(one)) for one in used]) for cell in row]
                for row in sheet.findall("x:sheetData/x:row", SPACE)
            ]
        return book


def _cell(cell: ElementTree.Element, formats: list[str]) -> tuple[str, str]:
    text = "".join(cell.itertext())
    if cell.get("t") in {"inlineStr", "s"}:
        return text, "text"
    if cell.get("t") == "b":
        return text, "bool"
    code = formats[int(cell.get("s", "0"))]
    return text, "%" if code.endswith("%") else next((end for end in ENDS if code.endswith(end)), code)


def parsed(raw: zipfile.ZipFile, name: str) -> ElementTree.Element:
    return ElementTree.fromstring(raw.read(name))  # noqa: S314  this package wrote it
