"""The page: skeleton, style, scripts, texts and data in one file that loads nothing else.

Its policy allows the page's own two scripts by their digests, and no connection. Its data is JSON, escaped so that no
text can end the script element.
Belongs here: making one safe file. Not here: the page's content (assets, data, charts).
"""

import base64
import hashlib
import html
from collections.abc import Mapping
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from string import Template
from typing import Any, Final

import msgspec
import vl_convert

from join_pipeline.lake.files import write_whole
from join_pipeline.report.data import Dataset
from join_pipeline.report.texts import texts_of

SECTIONS: Final = {
    "now": ("act", "now", "levels"),
    "bottleneck": ("bottleneck", "stages"),
    "jobs": ("jobs", "plan"),
    "forecast": ("forecast",),
    "funnel": ("funnel", "cohorts"),
    "sources": ("volume", "sources", "costs"),
    "speed": ("outcome", "decision", "times"),
    "trend": ("trend", "years"),
    "trust": ("trust",),
    "operations": ("operations",),
}
"""The figures of each section, in the order of the page."""

POLICY: Final = (
    "default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)
CHARTS: Final = Path(__file__).parent / "shipped" / "charts.json"
"""All charts, and the digest of the code that made them. ship.py makes it."""
DEFINE: Final = "window.vegaEmbed = vegaEmbed;"
_ESCAPES: Final = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def render(about: Mapping[str, Any], datasets: Mapping[str, Dataset], library: str, specs: str = "{}") -> str:
    """The page as HTML. `about` describes the connection, `library` is the script that draws, `specs` what it draws."""
    texts = texts_of(about["source"])
    language = about["language"] or "en"
    said = texts[language]["texts"]
    app = _app()
    scripts = " ".join(f"'sha256-{_digest(script)}'" for script in (library, app))
    return Template(_asset("page.html")).substitute(
        language=language,
        title=html.escape(said["page.title"].replace("{company}", about["connection"])),
        skip=html.escape(said["page.skip"]),
        noscript=" ".join(html.escape(one["texts"]["page.noscript"]) for one in texts.values()),
        policy=POLICY.format(scripts=scripts),
        style=_asset("style.css"),
        answers=html.escape(said["section.answers"]),
        words=html.escape(said["section.words"]),
        contents="\n".join(
            f'<li><a href="#{section}" data-t="section.{section}">{said[f"section.{section}"]}</a></li>'
            for section in (*SECTIONS, "words")
        ),
        sections="\n".join(_section(section, figures, said) for section, figures in SECTIONS.items()),
        data=_json({"about": about, "datasets": datasets}),
        texts=_json(texts),
        charts=specs,
        library=library,
        app=app,
    )


def chart_library(scratch: Path) -> str:
    """Vega, Vega-Lite and Vega-Embed as one script. The scratch folder caches it, because bundling takes seconds."""
    kept = scratch / f"vega-{version('vl-convert-python')}.js"
    if not kept.exists():
        write_whole(kept, vl_convert.javascript_bundle(DEFINE).encode())
    return kept.read_text("utf-8")


def chart_specs(scratch: Path) -> str:
    """All charts as JSON. Altair takes most of a second to make them, so they are shipped.

    Where none are, or those of other code, they are made here, and the scratch folder keeps them.
    """
    of = sources_digest()
    if CHARTS.exists() and (shipped := msgspec.json.decode(CHARTS.read_bytes()))["of"] == of:
        return _json(shipped["charts"])
    kept = scratch / f"charts-{of}-{version('altair')}.json"
    if not kept.exists():
        from join_pipeline.report.charts import charts  # noqa: PLC0415  Altair's import, which the kept ones spare

        write_whole(kept, _json(charts()).encode())
    return kept.read_text("utf-8")


def sources_digest() -> str:
    """A digest of the code that makes the charts."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*chart*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _section(section: str, figures: tuple[str, ...], said: Mapping[str, str]) -> str:
    inside = "\n".join(f'<figure id="figure-{figure}" aria-labelledby="title-{figure}"></figure>' for figure in figures)
    return (
        f'<section id="{section}" aria-labelledby="heading-{section}">\n'
        f'<h2 id="heading-{section}" data-t="section.{section}">{html.escape(said[f"section.{section}"])}</h2>\n'
        f'<p class="intro" data-t="intro.{section}">{html.escape(said[f"intro.{section}"])}</p>\n{inside}\n</section>'
    )


def _app() -> str:
    """The page's own script: its parts in the order of their names, in one private scope."""
    parts = sorted((_assets() / "app").glob("*.js"))
    return "(() => {\n'use strict';\n" + "\n".join(part.read_text("utf-8") for part in parts) + "})();\n"


def _json(value: Any) -> str:
    """JSON that is safe in a script element, because no text in it can end the element."""
    text = msgspec.json.encode(value).decode()
    for character, escape in _ESCAPES.items():
        text = text.replace(character, escape)
    return text


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _asset(name: str) -> str:
    return (_assets() / name).read_text("utf-8")


def _assets() -> Path:
    return Path(str(resources.files("join_pipeline.report"))) / "assets"
