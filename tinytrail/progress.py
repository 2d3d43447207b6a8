"""A progress bar for commands that take long: on a terminal only, so that logs stay readable."""

import time
from types import TracebackType
from typing import Any, Self

WIDTH = 30
REDRAW_SECONDS = 0.1


class Progress:
    """Used as a context; `add` tells it how much more of `total` is done. Without a total it only counts."""

    def __init__(self, total: int, verb: str, out: Any) -> None:  # noqa: ANN401 (Django's OutputWrapper or a file)
        self._total, self._verb, self._out = total, verb, out
        self._done = 0
        self._began = time.monotonic()
        self._drawn = 0.0
        self._shows = bool(getattr(out, "isatty", lambda: False)())

    def add(self, amount: int) -> None:
        self._done += amount
        if self._shows and time.monotonic() - self._drawn >= REDRAW_SECONDS:
            self._drawn = time.monotonic()
            self._draw()

    def _draw(self) -> None:
        seconds = time.monotonic() - self._began
        if not self._total:
            self._write(f"{self._verb} {self._done:,} in {seconds:.0f} s")
            return
        share = min(1.0, self._done / self._total)
        bar = "#" * round(share * WIDTH)
        left = seconds / share - seconds if share else 0
        self._write(f"{self._verb} [{bar:<{WIDTH}}] {share:4.0%}, {left:.0f} s left")

    def _write(self, line: str) -> None:
        self._out.write(f"\r\x1b[K{line}", ending="") if hasattr(self._out, "style_func") else self._out.write(
            f"\r\x1b[K{line}"
        )
        self._out.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shows:
            self._write("")
