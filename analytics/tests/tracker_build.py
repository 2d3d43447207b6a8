"""Makes the tracker that is served from its readable source: `python -m analytics.tests.tracker_build`.

The minifier is needed by developers only, so the result is committed and the server never minifies.
"""

from pathlib import Path

import minify

FOLDER = Path(__file__).resolve().parent.parent / "static" / "analytics"
SOURCE = FOLDER / "tracker.js"
SERVED = FOLDER / "tracker.min.js"


def build() -> str:
    return minify.string("application/javascript", SOURCE.read_text("utf-8"))


if __name__ == "__main__":
    SERVED.write_text(build(), "utf-8")
