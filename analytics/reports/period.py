"""Periods: runs of UTC days, both ends inclusive (definitions 18)."""

from dataclasses import dataclass
from datetime import date, timedelta

ROLLING_DAYS = {"7d": 7, "30d": 30, "90d": 90}
NAMES = ("yesterday", "today", *ROLLING_DAYS, "12m", "ytd", "all")
LONGEST_DAYS = 3_660


@dataclass(slots=True, frozen=True)
class Period:
    start: date
    end: date

    @classmethod
    def named(cls, name: str, *, today: date, first: date) -> "Period":
        """One of NAMES. `first` is the first day of `all`, and never later than today."""
        if name == "today":
            return cls(today, today)
        if name == "yesterday":
            return cls(today - timedelta(days=1), today - timedelta(days=1))
        if name == "12m":
            return cls(a_year_before(today) + timedelta(days=1), today)
        if name == "ytd":
            return cls(date(today.year, 1, 1), today)
        if name == "all":
            return cls(min(first, today), today)
        return cls(today - timedelta(days=ROLLING_DAYS[name] - 1), today)

    @property
    def length_days(self) -> int:
        return (self.end - self.start).days + 1

    @property
    def days(self) -> list[date]:
        return [self.start + timedelta(days=n) for n in range(self.length_days)]

    def previous(self) -> "Period":
        """As many days, immediately before."""
        return Period(self.start - timedelta(days=self.length_days), self.start - timedelta(days=1))

    def year_before(self) -> "Period":
        return Period(a_year_before(self.start), a_year_before(self.end))

    def __str__(self) -> str:
        return f"{self.start} to {self.end}"


def a_year_before(day: date) -> date:
    """The same date one year earlier; 29 February becomes 28 February."""
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)
