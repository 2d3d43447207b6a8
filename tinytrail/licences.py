"""The licences of everything that is installed: `python -m tinytrail.licences > docs/licences.md`.

A package states its licence as an SPDX expression, as classifiers or in words of its own, in this order of trust.
"""

import re
import sys
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUNTIME, DEVELOPMENT = "requirements.txt", "requirements-dev.txt"
PIN = re.compile(r"^([\w.-]+)(?:\[[^]]*\])?==", re.M)

# What packages call their licences, where they do not use the identifiers of SPDX.
IDENTIFIERS = {
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD": "BSD",
    "BSD 3-Clause OR Apache-2.0": "BSD-3-Clause OR Apache-2.0",
    "BSD License": "BSD",
    "GNU Affero General Public License v3": "AGPL-3.0-or-later",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
# Any of these may be used, changed and passed on together with TinyTrail; the LGPL's as the separate packages they are.
PERMITTED = {"0BSD", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "LGPL-2.1-only", "LGPL-3.0-only"}
PERMITTED |= {"MIT", "MIT-0", "MPL-2.0", "PSF-2.0", "Unlicense", "Zlib"}
# Runs in a process of its own, in tests only: a client that is tested against the server.
PERMITTED_IN_TESTS = {"openpanel": "AGPL-3.0-or-later"}

HEAD = """# Licences

Every package that is installed, with the licence that it states. This page is printed by
`python -m tinytrail.licences`, and a test fails when a package is missing here, or comes with a licence that was not
looked at. The image and a production server have those of the first table only.
"""


def page() -> str:
    """The whole page, in Markdown."""
    runtime = pinned(RUNTIME)
    parts = {
        "What runs": runtime,
        "What `make run` adds for its own servers, and what tests and checks need": pinned(DEVELOPMENT) - runtime,
    }
    return HEAD + "".join(f"\n## {title}\n\n{table(packages)}" for title, packages in parts.items())


def table(packages: set[str]) -> str:
    rows = [f"| {package} | {licence} |\n" for package in sorted(packages) if (licence := stated_by(package))]
    return "| Package | Licence |\n|---|---|\n" + "".join(rows)


def pinned(file: str) -> set[str]:
    return set(PIN.findall((ROOT / file).read_text()))


def stated_by(package: str) -> str | None:
    """An expression of SPDX identifiers. None where the package is not installed, as those of other systems are not."""
    try:
        told = metadata(package)
    except PackageNotFoundError:
        return None
    return said(told, "License-Expression") or classified(told) or short(said(told, "License"))


def said(told: PackageMetadata, name: str) -> str:
    return "".join(told.get_all(name) or [])


def classified(told: PackageMetadata) -> str:
    kinds = [kind.rpartition(" :: ")[2] for kind in told.get_all("Classifier") or [] if kind.startswith("License ::")]
    return " AND ".join(IDENTIFIERS.get(kind, kind) for kind in kinds)


def short(words: str) -> str:
    first = words.strip().partition("\n")[0]
    return IDENTIFIERS.get(first, first) or "none stated"


def is_permitted(package: str, licence: str) -> bool:
    return PERMITTED_IN_TESTS.get(package) == licence or set(re.split(r" AND | OR ", licence)) <= PERMITTED


if __name__ == "__main__":
    sys.stdout.write(page())
