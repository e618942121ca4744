"""Links of a page that lead out of docs/ become plain text in the site, which has no files of the repository.

Belongs here: hooks of mkdocs. Not here: which pages there are (mkdocs.yml).
"""

import re
from pathlib import Path
from typing import Any

LINK = re.compile(r"\[([^\]]+)\]\((?!https?:|#)([^)#\s]+)[^)]*\)")


def on_page_markdown(markdown: str, page: Any, config: Any, **_: Any) -> str:
    """The page's text, as mkdocs asks for it before it makes HTML of it."""
    docs = Path(config["docs_dir"]).resolve()
    here = docs / Path(page.file.src_uri).parent

    def inside(link: re.Match[str]) -> str:
        target = (here / link[2]).resolve()
        name = target.relative_to(docs.parent).as_posix() if target.is_relative_to(docs.parent) else link[1]
        if target.is_relative_to(docs) or not target.exists():
            return link[0]  # what does not exist stays, so that the strict build names it
        return f"{link[1]}" if name in link[1] else f"{link[1]} (`{name}` in the repository)"

    return LINK.sub(inside, markdown)
