"""A row of days as a small picture, drawn by the server: no script, no style of its own."""

from collections.abc import Sequence

from django.utils.html import format_html
from django.utils.safestring import SafeString

WIDTH, HEIGHT = 112, 28


def sparkline(values: Sequence[float], said: str) -> SafeString:
    """`said` is what it shows, for who cannot see it."""
    most, step = max(values, default=0) or 1, WIDTH / max(len(values) - 1, 1)
    points = " ".join(
        f"{place * step:.1f},{HEIGHT - 1 - value / most * (HEIGHT - 3):.1f}" for place, value in enumerate(values)
    )
    return format_html(
        '<svg class="mo-spark" viewBox="0 0 {w} {h}" width="{w}" height="{h}" preserveAspectRatio="none" role="img"'
        ' aria-label="{said}">'
        '<polygon points="0,{h} {points} {w},{h}"></polygon><polyline points="{points}"></polyline>'
        "</svg>",
        w=WIDTH,
        h=HEIGHT,
        said=said,
        points=points,
    )
