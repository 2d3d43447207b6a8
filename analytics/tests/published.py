"""The vendor's published clients, as they come from npm: installed once by the test run, into its data folder."""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent / "clients"
NODE, NPM = shutil.which("node"), shutil.which("npm")


@pytest.fixture(scope="session")
def npm_clients() -> Path:
    """The folder in which they are installed exactly as locked."""
    if not (NODE and NPM):
        pytest.skip("There is no Node on this machine: install one, for example with `apt install nodejs npm`.")
    version = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = Path(os.environ["TINYTRAIL_DATA"]) / f"npm-{version}"
    if not (folder / "complete").exists():
        # Another worker of pytest-xdist may be at it: each installs beside, and the first one to end is kept.
        ours = folder.with_name(f"{folder.name}-{os.getpid()}")
        ours.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, ours)
        command = [NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=ours, check=True, capture_output=True)
        (ours / "complete").touch()
        try:
            ours.rename(folder)
        except OSError:
            shutil.rmtree(ours)
    return folder


def run_in_node(folder: Path, script: str, **given: Any) -> list[Any]:
    """What the script prints, a JSON value a line. It finds the clients by their names, and `given` in the variable."""
    source = f"const given = {json.dumps(given)};\n{(HERE / script).read_text('utf-8')}"
    ended = subprocess.run(
        [NODE or "", "--input-type=module", "-"],
        cwd=folder,
        # Older ones warn that fetch is experimental.
        env=os.environ | {"NODE_NO_WARNINGS": "1"},
        input=source,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    return [json.loads(line) for line in ended.stdout.splitlines()]
