"""The chart as SVG made on the server: it needs no script, and a script only adds what a pointer asks of it.

Places are in percent of the plot: x from its left, y from its top.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from analytics.dashboard.asked import Asked
from analytics.dashboard.totals import Number, brief, written
from analytics.reports.period import Period
from analytics.reports.timeseries import HOUR, Timeseries, beginnings

GRID_LINES = 4
MOST_LABELS = 8
WIDTH, HEIGHT = 1000, 100


@dataclass(slots=True, frozen=True)
class Point:
    """An interval: its number, and that of the interval it is compared with."""

    label: str
    text: str
    before_label: str
    before_text: str
    x: float
    # None of an interval that has not begun, or whose number is withheld.
    y: float | None
    is_unfinished: bool
    # Where a click leads: the day, the week or the month by itself.
    link: str = ""


@dataclass(slots=True, frozen=True)
class Tick:
    place: float
    text: str
    anchor: str = "middle"


@dataclass(slots=True, frozen=True)
class Chart:
    points: list[Point]
    line: str
    area: str
    # From the last finished interval to the one that still runs.
    dashed: str
    comparison: str
    dots: list[tuple[float, float]]
    x_ticks: list[Tick]
    y_ticks: list[Tick]


def chart(asked: Asked) -> Chart:
    period, before = asked.question.period, asked.question.comparison
    at = beginnings(period, asked.interval)
    unit = asked.total.unit
    values = [None if begins(moment) > asked.now else value for moment, value in zip(at, series(asked), strict=True)]
    compared = series(asked, before)[: len(at)] if before else []
    at_before = beginnings(before, asked.interval) if before else []
    top, step = scale([value for value in (*values, *compared) if value is not None], unit)
    x = [WIDTH * (n / (len(at) - 1) if len(at) > 1 else 0.5) for n in range(len(at))]
    y = [None if value is None else height(value, top) for value in values]
    points = [
        Point(
            label=name(moment, asked.interval, period),
            text=text_of(values[n], unit),
            before_label=name(at_before[n], asked.interval, before) if before and n < len(compared) else "",
            before_text=text_of(compared[n], unit) if n < len(compared) else "",
            x=x[n] / WIDTH * 100,
            y=y[n],
            is_unfinished=is_running(at, n, period, asked.now),
            link=zoom(asked, at, n),
        )
        for n, moment in enumerate(at)
    ]
    drawn = [(x[n], place) for n, place in enumerate(y) if place is not None]
    last = next((point for point in reversed(points) if point.y is not None), None)
    finished = drawn[:-1] if last and last.is_unfinished else drawn
    before_drawn = [(x[n], height(value, top)) for n, value in enumerate(compared) if value is not None]
    # Alone, a point is no line.
    dots = drawn if len(drawn) == 1 else []
    return Chart(
        points=points,
        line=line(finished) if len(finished) > 1 else "",
        area=line([(drawn[0][0], HEIGHT), *drawn, (drawn[-1][0], HEIGHT)]) if len(drawn) > 1 else "",
        dashed=line(drawn[-2:]) if len(finished) < len(drawn) and len(drawn) > 1 else "",
        comparison=line(before_drawn) if len(before_drawn) > 1 else "",
        dots=[(place / WIDTH * 100, height_) for place, height_ in dots],
        x_ticks=x_ticks(points, at, asked),
        y_ticks=[Tick(height(n * step, top), brief(round(n * step, 6), unit)) for n in range(GRID_LINES + 1)],
    )


def text_of(value: Number | None, unit: str) -> str:
    return "" if value is None else written(value, unit)


def series(asked: Asked, period: Period | None = None) -> list[Number | None]:
    """Its numbers; None where one is withheld."""
    report = Timeseries()
    question = asked.about(report, {"metric": asked.total.metric, "interval": asked.interval})
    answer: dict[str, Any] = report.answer(question.over(period) if period else question)
    return [row["value"] for row in answer["series"]]


def begins(moment: date) -> datetime:
    """An interval's beginning as a moment; days are those of UTC."""
    return moment.replace(tzinfo=UTC) if isinstance(moment, datetime) else datetime.combine(moment, time(), UTC)


def ends(at: Sequence[date], place: int, period: Period) -> datetime:
    if place + 1 < len(at):
        return begins(at[place + 1])
    return begins(period.end + timedelta(days=1))


def is_running(at: Sequence[date], place: int, period: Period, now: datetime) -> bool:
    return begins(at[place]) <= now < ends(at, place, period)


def zoom(asked: Asked, at: Sequence[date], place: int) -> str:
    """The link to an interval's own days; an hour has none."""
    if asked.interval == "hour" or begins(at[place]) > asked.now:
        return ""
    return asked.address.within(Period(at[place], ends(at, place, asked.period).date() - timedelta(days=1)))


def name(moment: date, interval: str, period: Period) -> str:
    if isinstance(moment, datetime):
        return f"{moment:%H:%M}" if period.length_days == 1 else f"{moment:%a} {moment.day} {moment:%b, %H:%M}"
    if interval == "month":
        return f"{moment:%B %Y}"
    if interval == "week":
        return f"Week of {moment.day} {moment:%b %Y}"
    return f"{moment:%a} {moment.day} {moment:%b %Y}"


def brief_name(moment: date, interval: str, period: Period) -> str:
    if isinstance(moment, datetime) and period.length_days == 1:
        return f"{moment:%H:%M}"
    if interval == "month":
        return f"{moment:%b %Y}"
    return f"{moment.day} {moment:%b}"


def x_ticks(points: Sequence[Point], at: Sequence[date], asked: Asked) -> list[Tick]:
    """At most so many labels, evenly apart; the first and last stay inside of the plot."""
    every = max(1, math.ceil(len(at) / MOST_LABELS))
    if asked.interval == "hour" and asked.period.length_days > 1:
        every = max(every, round(timedelta(days=1) / HOUR))
    ticks = []
    for n in range(0, len(at), every):
        place = points[n].x
        anchor = "start" if place < 3 else "end" if place > 97 else "middle"
        ticks.append(Tick(place, brief_name(at[n], asked.interval, asked.period), anchor))
    return ticks


def scale(values: Sequence[Number], unit: str) -> tuple[float, float]:
    """The top of the plot and the distance of its lines: round numbers, at least as high as the highest value."""
    most = max(values, default=0)
    if unit == "seconds":
        steps = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600]
        step = next((step for step in steps if step * GRID_LINES >= most), 21600.0)
    else:
        least = 0.25 if unit == "ratio" else 1.0
        step = least
        while step * GRID_LINES < most:
            power = 10 ** math.floor(math.log10(step))
            # 1, 2, 2.5, 5, 10; numbers that are counted have no halves.
            halves = power >= 10 or unit == "ratio"
            step = next(
                power * next_ for next_ in (2, *((2.5,) if halves else ()), 5, 10) if power * next_ > step * 1.0001
            )
        if unit == "%":
            step = min(step, 25.0)
    return step * GRID_LINES, step


def height(value: Number, top: float) -> float:
    return round(HEIGHT - value / top * HEIGHT, 2)


def line(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in points)
