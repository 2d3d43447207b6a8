"""The log of the whole suite, and what it must not hold (guarantee A88).

Every process of a test run writes what an installation would write into a file of its own in the data folder; at the
end of the run all of them are read (conftest.py). What tests send stands in it nowhere, or the run has failed.
"""

import logging
import re
from collections.abc import Iterator
from pathlib import Path

from tinytrail.tests import canaries
from tinytrail.web.logs import Plain, WithoutSecretPaths

NAME = "suite-{}.log"
# What the suite uses, by what it is.
KINDS: dict[str, re.Pattern[str]] = {
    "a key or a secret": re.compile(r"\b(?:tt|sec)_[0-9A-Za-z]{20,}"),
    "a token": re.compile(r"\b[0-9a-f]{64}\b|\bey[\w-]{10,}\.[\w-]+\.[\w-]+"),
    "an address of mail": re.compile(r"[\w.+-]+@[\w-]+\.\w+"),
    # The networks that documents and tests take their addresses from.
    "an address of the network": re.compile(
        r"\b(?:192\.0\.2|198\.51\.100|203\.0\.113)\.\d+|\b2001:db8:[0-9a-f:]*", re.IGNORECASE
    ),
    "a browser": re.compile(rf"Mozilla/5\.0|Googlebot/|{re.escape(canaries.AGENT)}"),
    "a cookie": re.compile(r"\b(?:session|csrf|csrftoken|sessionid|oooc_user_session)=[\w.-]{8,}"),
    "a query": re.compile(r"/[\w./-]*\?[\w\[\]%.-]+="),
}


def listener(folder: Path, worker: str) -> logging.Handler:
    """Writes every line from INFO on, as an installation does."""
    handler = logging.FileHandler(folder / NAME.format(worker or "main"), mode="a", encoding="utf-8", delay=True)
    handler.setFormatter(Plain())
    handler.addFilter(WithoutSecretPaths())
    handler.setLevel(logging.INFO)
    return handler


def listen(handler: logging.Handler) -> None:
    """Again before each test: what sets Django up once more, as a server does, makes the loggers anew."""
    root = logging.getLogger()
    if handler not in root.handlers:
        root.addHandler(handler)


def forget(folder: Path) -> None:
    """Files of an earlier run."""
    for path in folder.glob(NAME.format("*")):
        path.unlink()


def leaks(folder: Path) -> Iterator[str]:
    """A sentence for each line that holds what none may, with the line."""
    for path in sorted(folder.glob(NAME.format("*"))):
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            for kind, pattern in KINDS.items():
                if pattern.search(line):
                    yield f"{path.name}:{number} holds {kind}: {line}"
