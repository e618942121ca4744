"""The rings: only the wiring imports Dagster, one module reads the environment, and the wiring stays thin."""

import ast
import subprocess
import sys
from pathlib import Path

import join_pipeline
from join_pipeline.transform.run import project_dir

PACKAGE = Path(join_pipeline.__file__).parent
WIRING = [*(PACKAGE / "defs").rglob("*.py"), PACKAGE / "definitions.py"]
APART = [*(PACKAGE / "component").rglob("*.py")]
FLEET = [*(PACKAGE / "fleet").rglob("*.py")]
RING_2 = [*WIRING, *APART, *FLEET]
RING_1 = sorted(set(PACKAGE.rglob("*.py")) - set(RING_2))


def imported(path: Path) -> set[str]:
    """Modules that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    return found


def reads_environment(path: Path) -> bool:
    tree = ast.parse(path.read_text())
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return bool(names & {"environ", "getenv", "environb"}) or bool(imported(path) & {"os.environ", "os.getenv"})


def test_dagster_stays_in_its_ring() -> None:
    assert len(RING_1) > 50
    strangers = {
        f"{path.relative_to(PACKAGE)}: {name}"
        for path in RING_1
        for name in imported(path)
        if name.split("_")[0].split(".")[0] == "dagster"
        or name.startswith(tuple(f"join_pipeline.{room}" for room in ("defs", "definitions", "component", "fleet")))
    }
    assert strangers == set()


def test_the_engine_knows_no_source() -> None:
    rooms = ("sync", "lake", "models", "http", "warehouse", "transform", "report")
    sources = ("join_pipeline.sources.join", "join_pipeline.sources.kombo")
    strangers = {
        f"{path.relative_to(PACKAGE)}: {name}"
        for room in rooms
        for path in (PACKAGE / room).rglob("*.py")
        for name in imported(path)
        if name.startswith(sources)
    }
    assert strangers == set()


def test_estimates_are_numpy_and_nothing_else() -> None:
    modules = [path for path in (PACKAGE / "estimates").rglob("*.py") if path.name != "__init__.py"]
    assert modules
    ours = {name.split(".")[1] for path in modules for name in imported(path) if name.startswith("join_pipeline.")}
    others = {name.split(".")[0] for path in modules for name in imported(path)} - set(sys.stdlib_module_names)
    assert ours <= {"estimates", "errors"}
    assert others <= {"numpy", "join_pipeline"}
    handed_over = list(project_dir().glob("models/**/*.py"))
    assert handed_over
    for path in handed_over:
        assert {".".join(name.split(".")[:2]) for name in imported(path)} == {"join_pipeline.estimates"}, path.name
        assert len(path.read_text().splitlines()) < 30, path.name


def test_the_source_is_handed_in() -> None:
    """Who works with a source does not choose it: only commands, the wiring and the pipeline ask which one it is."""
    registry = "join_pipeline.sources.registry"
    listing, choosing = set(), set()
    for path in PACKAGE.rglob("*.py"):
        names, room = imported(path), path.relative_to(PACKAGE).parts[0]
        if registry in names:
            listing.add(room)
        if names & {f"{registry}.open_source", f"{registry}.source_of"}:
            choosing.add(room)
    assert choosing == {"cli", "defs", "pipeline.py"}
    assert listing == choosing | {"settings.py"}, "the settings read every source's options"


def test_only_the_registry_lists_sources() -> None:
    """Nothing else names two of them: neither by import, nor in a list of words."""
    rooms = {path.parent.name for path in (PACKAGE / "sources").glob("*/source.py")}
    assert len(rooms) > 1
    lists = {}
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text())
        words = {
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        by_import = {name.split(".")[2] for name in imported(path) if name.startswith("join_pipeline.sources.")}
        if len(rooms & by_import) > 1 or len(rooms & words) > 1:
            lists[str(path.relative_to(PACKAGE))] = rooms & (words | by_import)
    assert set(lists) == {"sources/registry.py"}


def test_a_source_is_asked_for_nothing_that_it_ignores() -> None:
    """An argument that begins with an underscore is one that an implementation has no use for."""
    ignored = {
        f"{path.relative_to(PACKAGE)}: {node.name}({argument.arg})"
        for name in ("source", "connection", "webhooks", "client", "options")
        for path in (PACKAGE / "sources").glob(f"*/{name}.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
        for argument in node.args.args
        if argument.arg.startswith("_")
    }
    assert ignored == set()


def test_a_sync_imports_nothing_that_only_other_commands_need() -> None:
    heavy = ("dbt", "dagster", "altair", "highspy", "vl_convert", "starlette", "uvicorn", "mcp", "xlsxwriter", "yaml")
    program = f"""
import sys
import join_pipeline.cli, join_pipeline.pipeline
from join_pipeline.settings import load_settings
from join_pipeline.sources.registry import SOURCES, source_of
settings = load_settings()
assert [source_of(name, settings).name for name in SOURCES] == list(SOURCES)
print([name for name in {heavy} if name in sys.modules])
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.strip() == "[]"


def test_only_settings_reads_the_environment() -> None:
    assert {str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if reads_environment(path)} == {
        "settings.py"
    }


def test_the_wiring_stays_thin() -> None:
    for files, most in (
        (WIRING, 520),
        (APART, 620),
        (FLEET, 200),
    ):  # what keeps companies apart is no wiring, and counted by itself
        assert sum(len(path.read_text().splitlines()) for path in files) < most
