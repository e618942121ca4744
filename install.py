"""Installs join-pipeline and extras of it into an environment, and shows one line of progress.

`make demo` calls `python3 install.py .venv report`. It takes uv where that is installed, else venv and pip. What these
say goes to a log in the environment, since most of their warnings are about the machine. An error is shown.
"""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TextIO

HERE: Final = Path(__file__).parent
FOUND: Final = re.compile(r"^\s*(?:Collecting|Requirement already satisfied:) ([\w.-]+)")
UNPACKS: Final = re.compile(r"^Installing collected packages: (.+)")
ERROR: Final = re.compile(r"^\s*(?:error\b|×|╰─▶|ModuleNotFoundError|No module named)", re.IGNORECASE)
"""How a line of uv or pip begins that says why it failed."""
LAST_LINES: Final = 10


def main(venv: Path, extras: Sequence[str]) -> int:
    """Make the environment if it is not there, and install into it. Returns the exit code of what failed, else 0."""
    python, log = venv / "bin" / "python", venv / "install.log"
    uv = shutil.which("uv")
    what = ["--constraint", str(HERE / "constraints.txt"), "--editable", f"{HERE}[{','.join(extras)}]"]
    if not python.exists():
        make = [uv, "venv", "--allow-existing", "--python", sys.executable] if uv else [sys.executable, "-m", "venv"]
        if code := play(f"making {venv}", [*make, str(venv)], Path(f"{venv}.log"), sys.stderr):
            return code
        Path(f"{venv}.log").unlink()
    by_pip = [str(python), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    install = [uv, "pip", "install", "--python", str(python)] if uv else by_pip
    return play(f"installing join-pipeline[{','.join(extras)}] into {venv}", [*install, *what], log, sys.stderr)


def play(title: str, command: Sequence[str], log: Path, shown: TextIO) -> int:
    """Run a command with one line of progress on `shown`, and its own words in `log`. Returns its exit code.

    Where `shown` is no terminal, the line is written when the command begins and when it ends.
    """
    began, packages, step = time.monotonic(), set[str](), ""
    is_live = shown.isatty()
    if not is_live:
        print(f"{title} …", file=shown, flush=True)
    with log.open("w", encoding="utf-8") as kept:
        how: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        with subprocess.Popen(command, text=True, **how) as process:  # noqa: S603  uv, venv or pip
            for line in process.stdout or ():
                kept.write(line)
                if found := FOUND.match(line):
                    packages.add(found[1].lower())
                    step = f"{len(packages)} packages found"
                elif unpacks := UNPACKS.match(line):
                    step = f"unpacking {unpacks[1].count(',') + 1} packages"
                if is_live:
                    width = shutil.get_terminal_size().columns - 1
                    print(f"\r\x1b[K{f'{title}: {step}'[:width]}", end="", file=shown, flush=True)
        code = process.returncode
    seconds = time.monotonic() - began
    start = "\r\x1b[K" if is_live else ""
    if code == 0:
        print(f"{start}{title}: done in {seconds:.0f} s", file=shown, flush=True)
        return 0
    lines = log.read_text(encoding="utf-8").splitlines()
    said = [line for line in lines if ERROR.match(line)] or lines[-LAST_LINES:]
    print(f"{start}{title}: failed after {seconds:.0f} s\n" + "\n".join(said), file=shown)
    print(
        f"Everything that was said is in {log}. Correct that, and run the same command again.", file=shown, flush=True
    )
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
