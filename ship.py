"""Makes what the package ships: dbt's statements for the usual settings (`transform/shipped`), and the report's charts.

`make` calls it after an install, and again when the dbt project or the charts have changed.
Belongs here: making these files, from two builds by dbt and by Altair. Not here: when they hold (transform, report).
"""

import os
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import msgspec

from join_pipeline import pipeline
from join_pipeline.report.charts import charts
from join_pipeline.report.page import CHARTS, sources_digest
from join_pipeline.sandbox import SandboxConfig
from join_pipeline.sandbox.figures import example_figures
from join_pipeline.sandbox.server import running
from join_pipeline.settings import Settings, load_settings
from join_pipeline.transform.compiled import Compiled, Made
from join_pipeline.transform.run import build_marts, ensure_manifest, forget_compiled, project_dir, variables_digest
from join_pipeline.transform.shipped import MANIFEST, STATEMENTS, Shipped, digest_of

NOW: Final = datetime(2026, 6, 1, tzinfo=UTC)
FILES: Final = {
    "stage_milestone_csv": "stage_name,milestone\nTalk,OFFER\n",
    "source_channel_csv": "source,channel\nBoard,JOB_BOARDS\n",
    "retention_policy_csv": "country,months\nDE,6\n",
    "published_tags_csv": "tag\nDriver\n",
    **example_figures([date(2026, 5, 1)], []),
}
"""A small file for each setting that names one."""


def shipped_files() -> dict[Path, bytes]:
    """The shipped files by their paths: what dbt makes without and with each of the user's files."""
    with tempfile.TemporaryDirectory() as folder, running(SandboxConfig(port=0, applications=20, now=NOW)) as url:
        data = Path(folder)
        given = {"data": data, "join_api_token": "sandbox-token", "join_api_url": f"{url}/v2"}
        for name, text in FILES.items():
            (data / name).write_text(text, encoding="utf-8")
        pipeline.sync(load_settings(**given), "full", ())
        usual, manifest = _built_by_dbt(load_settings(**given))
        with_files, same = _built_by_dbt(load_settings(**given, **{name: data / name for name in FILES}))
        variables = variables_digest(load_settings(**given))
    if manifest != same or usual.tests != with_files.tests:
        raise SystemExit("A user's file changes more than the SQL of models, so shipped.py can't tell what it changes.")
    changed = [one for one, other in zip(with_files.made, usual.made, strict=True) if one != other]
    statements = Shipped(
        project=digest_of(project_dir()),
        variables=variables,
        made=usual.made,
        tests=usual.tests,
        with_file={name: [one for one in changed if _file_of(one) == name] for name in sorted(FILES)},
    )
    drawn = {"of": sources_digest(), "charts": charts()}
    return {CHARTS: msgspec.json.encode(drawn), MANIFEST: manifest, STATEMENTS: msgspec.json.encode(statements)}


def _built_by_dbt(settings: Settings) -> tuple[Compiled, bytes]:
    pipeline.load(settings)
    forget_compiled(settings)
    build_marts(settings)
    manifest = ensure_manifest(settings)
    kept = manifest.with_name("compiled.json").read_bytes()
    return msgspec.json.decode(kept, type=Compiled), manifest.read_bytes()


def _file_of(changed: Made) -> str:
    """The variable whose file changes this node: the only one that its statement names."""
    (name,) = (name for name in FILES if f"{{{{{name}}}}}" in changed.code)
    return name


def main() -> None:
    began = time.monotonic()
    print("making the statements of the dbt project …", file=sys.stderr, flush=True)
    for name in [name for name in os.environ if name.startswith("JOIN_")]:
        del os.environ[name]  # what is made is for everybody
    for path, content in shipped_files().items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    print(f"making the statements of the dbt project: done in {time.monotonic() - began:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
