"""What is installed is what was locked, by its hash (A90), and nothing is served by an image that should not be."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tinytrail import licences
from tinytrail.tests.engines import ROOT

NAMES = ("requirements", "requirements-dev")


def wanted(name: str) -> list[Requirement]:
    lines = (ROOT / f"{name}.in").read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith(("-", "#"))]


def locked(name: str) -> set[tuple[str, str, int]]:
    """Package, version and number of hashes of each pin; a package may have one for each Python."""
    pins = re.findall(
        r"^([\w.-]+)(?:\[[^]]*\])?==([^\s;]+)[^\n]*\n((?:    --hash=[^\n]*\n)*)",
        (ROOT / f"{name}.txt").read_text(),
        re.M,
    )
    return {(canonicalize_name(package), number, hashes.count("--hash=sha256:")) for package, number, hashes in pins}


def test_it_works() -> None:
    assert version("django") in [number for package, number, _ in locked("requirements") if package == "django"]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_wanted_is_locked(name: str) -> None:
    pins = locked(name)
    for requirement in wanted(name):
        numbers = [number for package, number, _ in pins if package == canonicalize_name(requirement.name)]
        assert numbers, requirement
        assert all(requirement.specifier.contains(number) for number in numbers), requirement


@pytest.mark.parametrize("name", NAMES)
def test_every_pin_has_a_hash(name: str) -> None:
    pins = locked(name)
    assert len(pins) == len(re.findall(r"^[\w.-]+(?:\[[^]]*\])?==", (ROOT / f"{name}.txt").read_text(), re.M))
    assert [package for package, _, hashes in pins if not hashes] == []


def test_both_files_agree() -> None:
    runtime, development = locked("requirements"), locked("requirements-dev")
    both = {package for package, _, _ in runtime} & {package for package, _, _ in development}
    assert {pin for pin in development if pin[0] in both} <= runtime


def test_the_image_installs_by_hash_and_runs_as_nobody_in_particular() -> None:
    lines = (ROOT / "Dockerfile").read_text()
    assert "pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt" in lines
    assert re.findall(r"^USER (\d+)", lines, re.M) == ["10001"]
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    for name in ("prepare", "web", "worker", "beat"):
        assert (services[name]["read_only"], services[name]["cap_drop"]) == (True, ["ALL"])


def test_the_image_holds_what_the_program_needs_and_no_test() -> None:
    kept = {
        line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")
    }
    assert kept == {path.name for path in ROOT.iterdir() if is_part(path)} | {"manage.py", "requirements.txt"}


def is_part(path: Path) -> bool:
    return path.name == "templates" or (path / "__init__.py").exists()


def test_every_package_comes_with_a_licence_that_was_looked_at() -> None:
    stated = {package: licences.stated_by(package) for name in NAMES for package in licences.pinned(f"{name}.txt")}
    assert {
        package: licence
        for package, licence in stated.items()
        if licence and not licences.is_permitted(package, licence)
    } == {}
    assert stated["psycopg"] == "LGPL-3.0-only"


def test_the_page_of_licences_lists_everything() -> None:
    written = (ROOT / "docs/licences.md").read_text()
    # Another Python, or another system, installs a few others of those that are locked.
    assert set(licences.page().splitlines()) <= set(written.splitlines())
    listed = set(re.findall(r"^\| ([\w.-]+) \|", written, re.M)) - {"Package"}
    assert listed <= licences.pinned(licences.RUNTIME) | licences.pinned(licences.DEVELOPMENT)


def test_clients_from_npm_are_locked_by_their_hash() -> None:
    (lock,) = ROOT.glob("*/tests/clients/package-lock.json")
    packages = {name: package for name, package in json.loads(lock.read_text())["packages"].items() if name}
    assert packages
    assert [name for name, package in packages.items() if not package["integrity"].startswith("sha512-")] == []


def test_a_new_lock_is_installed_before_anything_is_started_or_tested(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    venv = tmp_path / ".venv"
    (venv / "bin").mkdir(parents=True)
    for number, file in enumerate(("requirements.txt", "requirements-dev.txt", ".venv/runnable", ".venv/complete")):
        (tmp_path / file).touch()
        os.utime(tmp_path / file, (number, number))
    assert "--require-hashes" not in planned(tmp_path)
    os.utime(tmp_path / "requirements.txt")
    assert planned(tmp_path).count("--require-hashes") == 3


def planned(project: Path) -> str:
    """What `make test` would do."""
    return subprocess.run(["make", "--dry-run", "test"], cwd=project, capture_output=True, text=True, check=True).stdout


def test_an_audit_that_reaches_nobody_fails_and_says_so(tmp_path: Path) -> None:
    lines = (ROOT / "requirements.txt").read_text().split("\n    # via")[0]
    (tmp_path / "requirements.txt").write_text(lines)
    (recipe,) = re.findall(r"^audit:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.M)
    command = recipe.replace("$(VENV)/bin", str(Path(sys.executable).parent)).replace("-r requirements-dev.txt", "")
    nowhere = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
    ran = subprocess.run(
        ["sh", "-c", command.lstrip("\t@")],
        cwd=tmp_path,
        env=os.environ | nowhere | {"NO_PROXY": "", "no_proxy": ""},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 1
    assert "Not known to be free of vulnerabilities" in ran.stdout
