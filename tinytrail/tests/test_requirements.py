"""What is installed is what was locked, by its hash (A90), and nothing is served by an image that should not be."""

import re
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

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
