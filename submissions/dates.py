"""Days and times as hosts write them, in English, French and Arabic: what can be read of free text, else nothing.

Day before month, as the calendars these contracts come from write it: 06/07/2026 is 6 July; 06/21/2026 can only be
June. A wrong day is worse than none, for it orders the queue and tells events apart; so whatever says two things at
once is not read. Tables of our own: dateparser takes 27 MB in every process, and reads a day out of `7`.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from itertools import zip_longest

from submissions.text import folded

# Hosts are given 40 letters; whoever calls with more is not answered.
LONGEST = 200
# Longer than a season is a mistake, or two dates that have nothing to do with each other.
LONGEST_RANGE = timedelta(days=366)


def table(lines: str) -> dict[str, int]:
    """Folded words, numbered by their line."""
    return {folded(word): number for number, line in enumerate(lines.strip().splitlines()) for word in line.split()}


def listed(words: str) -> frozenset[str]:
    return frozenset(folded(word) for word in words.split())


MONTHS = table(
    """
    -
    january jan janvier janv يناير جانفي كانون-الثاني
    february feb février févr fév فبراير فيفري شباط
    march mars مارس آذار
    april apr avril avr أبريل ابريل أفريل إبريل نيسان
    may mai مايو ماي أيار
    june jun juin يونيو جوان حزيران يونيه
    july jul juillet juil juill يوليو جويلية يوليوز تموز يوليه
    august aug août أغسطس أوت غشت آب
    september sept sep septembre سبتمبر شتنبر أيلول
    october oct octobre أكتوبر تشرين-الأول
    november nov novembre نوفمبر نونبر تشرين-الثاني
    december dec décembre déc ديسمبر دجنبر كانون-الأول
    """
)
WEEKDAYS = table(
    """
    monday mon lundi lun الاثنين اثنين الإثنين
    tuesday tue tues mardi الثلاثاء ثلاثاء
    wednesday wed weds mercredi mer الأربعاء أربعاء
    thursday thu thur thurs jeudi jeu الخميس خميس
    friday fri vendredi ven الجمعة جمعة
    saturday sat samedi sam السبت سبت
    sunday sun dimanche dim الأحد أحد
    """
)
# March in English, Tuesday in French: a month where no other one is named.
AMBIGUOUS = "mar"
RELATIVE = table(
    """
    today tonight aujourd'hui ce-soir اليوم الليلة
    tomorrow demain غدا
    day-after-tomorrow après-demain بعد-غد
    """
)
KNOWN = frozenset({*MONTHS, *WEEKDAYS, *RELATIVE})
JOINS = listed("- & + to until till through thru and au et à jusqu'au و إلى الى حتى")
# Words that make of a day many days, or none.
UNSURE = listed(
    """
    every each weekly monthly daily except excluding or not before after next last
    chaque tous toutes hebdo hebdomadaire mensuel sauf ou pas avant après tbc tbd ? / كل أو قبل عدا
    """
)
PHRASES = [
    (re.compile(pattern), word)
    for pattern, word in (
        (r"\bday after tomorrow\b", "day-after-tomorrow"),
        (r"\bapres[- ]demain\b", "apres-demain"),
        (r"\bce soir\b", "ce-soir"),
        (r"بعد (?:ال)?غدا?\b", "بعد-غد"),
        (r"\b(كانون|تشرين) (?=ال(?:اول|ثاني))", r"\1-"),
        # A comma between two days joins them; any other says nothing.
        (r"(?<=\d) ?[,،] ?(?=\d{1,2}(?!\d))", " & "),
    )
]
HOUR = r"\d{1,2}(?: ?h(?:eures?|rs?)?(?: ?[0-5]\d)?(?![a-z\d])|:[0-5]\d(?![\d./])| ?[ap]\.?m\b\.?| (?:مساء|صباحا)ا?)"
HOUR_IN_DATE = re.compile(rf"(?:\d{{1,2}} ?- ?)?(?<![\d./:]){HOUR}(?: ?[ap]\.?m\b\.?)?")
PARTS = re.compile(
    r"""
    (?P<year_first>(?<!\d)\d{4})([-/.])(?P<month>\d{1,2})\2(?P<day>\d{1,2})(?!\d)
    | (?<!\d)(?P<one>\d{1,2})([-/.])(?P<two>\d{1,2})\6(?P<full>\d{4}|\d{2})(?!\d)
    | (?<![\d/.])(?P<left>\d{1,2})(?P<mark>[/.])(?P<right>\d{1,2})(?![\d/])
    | (?P<number>\d+)(?:st|nd|rd|th|er|e|eme|ere)?(?![a-z])
    | (?P<word>[^\W\d_]+(?:['’-][^\W\d_]+)*)
    | (?P<sign>[-&+?/])
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class Said:
    """One day as far as it was said."""

    day: int | None = None
    month: int | None = None
    year: int | None = None
    weekday: int | None = None
    on: date | None = None


class Unsure(Exception):
    """What is written says nothing, or two things."""


def day_of(text: str, *, today: date) -> date | None:
    """The day, the first of several. Without a year it is the next one of that name, today included."""
    days = days_of(text, today=today)
    return days[0] if days else None


def days_of(text: str, *, today: date) -> tuple[date, date] | None:
    """The first and the last day: `20-22 June 2026`, `du 30 juin au 2 juillet`; the same one twice for a single day."""
    if len(text) > LONGEST:
        return None
    try:
        return span(completed(said(text, today)), today)
    except (Unsure, ValueError, OverflowError):
        return None


def plain(text: str) -> str:
    """Folded, with digits and dashes of any script as ASCII's, and without marks that steer the direction."""
    chars = (char for char in folded(text) if unicodedata.category(char) != "Cf")
    return "".join(as_ascii(char) for char in chars)


def as_ascii(char: str) -> str:
    digit = unicodedata.decimal(char, None)
    if digit is not None:
        return str(digit)
    return "-" if unicodedata.category(char) == "Pd" or char == "−" else "'" if char == "’" else char


def said(text: str, today: date) -> list[Said]:
    """The days that are named, one for each part between words that join."""
    line = HOUR_IN_DATE.sub(" ", plain(text))
    for pattern, word in PHRASES:
        line = pattern.sub(word, line)
    days = [Said()]
    for part in parts(line):
        if part is None:
            days.append(Said())
        else:
            days[-1] = merged(days[-1], named(part, today, months_elsewhere=has_month(line)))
    return [day for day in days if day != Said()]


def parts(line: str) -> Iterator["re.Match[str] | None"]:
    """What is said, piece by piece; None where one day ends and the next begins."""
    for part in PARTS.finditer(line):
        word = part["word"] or part["sign"]
        if word is None:
            yield part
        elif word in JOINS:
            yield None
        elif word in UNSURE and not between_months(line, part):
            raise Unsure
        elif word not in KNOWN and word.startswith("و") and word[1:] in KNOWN:
            yield None
            yield re.compile(r"(?P<word>.+)").fullmatch(word[1:])
        else:
            yield part


def between_months(line: str, part: re.Match[str]) -> bool:
    """`20 حزيران/يونيو`: both names of one month."""
    return part[0] == "/" and not line[part.end() : part.end() + 1].isdigit()


def has_month(line: str) -> bool:
    return any(word in MONTHS for word in re.findall(r"[^\W\d_]+", line))


def named(part: re.Match[str], today: date, *, months_elsewhere: bool) -> Said:
    """What one piece says; nothing for a word that is none of ours."""
    found = part.groupdict()
    if found.get("year_first"):
        return numeric(int(found["day"]), int(found["month"]), int(found["year_first"]))
    if found.get("full"):
        year = int(found["full"])
        return numeric(*day_first(int(found["one"]), int(found["two"])), year if year > 99 else 2000 + year)
    if found.get("left"):
        day, month = int(found["left"]), int(found["right"])
        # 19.30 is an hour.
        return Said(*(day_first(day, month) if found["mark"] == "/" else (day, month)))
    if found.get("number"):
        return number(found["number"])
    return word_said(found["word"] or "", today, months_elsewhere)


def numeric(day: int, month: int, year: int) -> Said:
    date(year, month, day)
    return Said(day, month, year)


def day_first(one: int, two: int) -> tuple[int, int]:
    return (two, one) if two > 12 >= one else (one, two)


def number(digits: str) -> Said:
    if len(digits) == 4 and 1900 <= int(digits) <= 2199:
        return Said(year=int(digits))
    if len(digits) <= 2 and 1 <= int(digits) <= 31:
        return Said(day=int(digits))
    raise Unsure


def word_said(word: str, today: date, months_elsewhere: bool) -> Said:
    if word == AMBIGUOUS:
        return Said(weekday=1) if months_elsewhere else Said(month=3)
    if word in RELATIVE:
        return Said(on=today + timedelta(days=RELATIVE[word]))
    return Said(month=MONTHS.get(word) or None, weekday=WEEKDAYS.get(word))


def merged(first: Said, second: Said) -> Said:
    """Both together; unsure when they contradict each other."""
    for field in ("day", "month", "year", "weekday", "on"):
        old, new = getattr(first, field), getattr(second, field)
        if new is not None and old is not None and old != new:
            raise Unsure
        if new is not None:
            first = replace(first, **{field: new})
    return first


def completed(days: list[Said]) -> list[Said]:
    """Month and year that were said once for several days: `20-22 June 2026`, `June 20-22, 2026`."""
    numbered = [day for day in days if (day.day, day.month, day.year, day.on) != (None, None, None, None)]
    if 0 < len(numbered) < len(days):
        # `Fri to Sun, 19-21 June`: the numbers say it, and the weekdays stand apart from theirs.
        days = [replace(day, weekday=None) for day in numbered]
    for order in (range(len(days) - 2, -1, -1), range(1, len(days))):
        for index in order:
            days[index] = inherited(days[index], days[index + 1 if order.step < 0 else index - 1])
    return days


def inherited(day: Said, neighbour: Said) -> Said:
    if day.day is None:
        return day
    return replace(day, month=day.month or neighbour.month, year=day.year or neighbour.year)


def span(days: list[Said], today: date) -> tuple[date, date]:
    if not days:
        raise Unsure
    last = resolved(days[-1], today)
    if len(days) == 1:
        return last, last
    first = resolved(days[0], today)
    if first > last and first.month > last.month and first.year == days[-1].year:
        # `30 December - 2 January 2027`: the year was said of the last day.
        first = resolved(replace(days[0], year=first.year - 1), today)
    if first > last and days[-1].year is None:
        last = resolved(days[-1], first)
    if not first <= last <= first + LONGEST_RANGE:
        raise Unsure
    return first, last


def resolved(day: Said, today: date) -> date:
    if day.on:
        return agreed(day.on, day)
    if day.day and day.month:
        return agreed(date(day.year, day.month, day.day), day) if day.year else nearest(day, today)
    if day.weekday is not None and (day.day, day.month, day.year) == (None, None, None):
        return today + timedelta(days=(day.weekday - today.weekday()) % 7)
    raise Unsure


def agreed(found: date, day: Said) -> date:
    """The day, unless another weekday was said: then one of both is wrong, and nobody knows which."""
    if day.weekday is not None and found.weekday() != day.weekday:
        raise Unsure
    return found


def nearest(day: Said, today: date) -> date:
    """The next day of that name; the last one when only that was the weekday that was said."""
    if not day.day or not day.month or not is_date(2000, day.month, day.day):
        raise Unsure
    # 29 February waits up to eight years.
    years = [year for year in range(today.year - 1, today.year + 9) if is_date(year, day.month, day.day)]
    dates = [date(year, day.month, day.day) for year in years]
    coming = [found for found in dates if found >= today][:1]
    past = [found for found in dates if found < today][-1:]
    for found in (*coming, *past):
        if day.weekday in (None, found.weekday()):
            return found
    raise Unsure


def is_date(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


NAMED_TIMES = [
    (re.compile(rf"(?<!\w)(?:{words})(?!\w)"), hour)
    for words, hour in (("midnight|minuit|منتصف الليل", 0), ("noon|midday|(?<!apres[- ])midi|منتصف النهار", 12))
]
MORNING = r"a\.?m\b\.?|du matin|in the morning|صباحا|ص(?!\w)|فجرا"
AFTERNOON = r"p\.?m\b\.?|du soir|de l'apres-midi|in the (?:evening|afternoon)|مساءا?|م(?!\w)|عصرا|ظهرا|بعد الظهر"
NIGHT = r"at night|ليلا"
HALF = rf"(?P<morning>{MORNING})|(?P<afternoon>{AFTERNOON})|(?P<night>{NIGHT})"
CLOCK = re.compile(
    rf"(?<![\d:./])(?P<hour>\d{{1,2}})"
    rf"(?: ?(?P<h>h(?:eures?|rs?)?)(?: ?(?P<after_h>[0-5]\d))?(?![a-z\d])|[:.](?P<minute>[0-5]\d)(?!\d))?"
    rf"(?::[0-5]\d(?!\d))?(?: ?(?:{HALF}))?"
)


def time_of(text: str) -> time | None:
    """The time, the first of several: `19h30`, `7:30 PM`, `7-9pm`, `minuit`. A bare number may be anything."""
    if len(text) > LONGEST:
        return None
    line = plain(text)
    for pattern, hour in NAMED_TIMES:
        if pattern.match(line):
            return time(hour)
    clocks = list(CLOCK.finditer(line))
    for clock, following in zip_longest(clocks, clocks[1:]):
        found = clock_time(clock, following, line)
        if found is not None or clock["h"] or clock["minute"]:
            return found
        if not bare(clock):
            return None
    return next((time(hour) for pattern, hour in NAMED_TIMES if not clocks and pattern.search(line)), None)


def bare(clock: re.Match[str]) -> bool:
    return not any(clock[name] for name in ("h", "minute", "morning", "afternoon", "night"))


def clock_time(clock: re.Match[str], following: re.Match[str] | None, line: str) -> time | None:
    """A bare hour before a dash takes its half of the day from what follows the dash."""
    half = clock
    if not any(clock[name] for name in ("morning", "afternoon", "night")):
        between = line[clock.end() : following.start()].strip() if following else ""
        if following and between in JOINS and clock["h"] is None:
            half = following
        elif bare(clock):
            return None
    hour, minute = int(clock["hour"]), int(clock["after_h"] or clock["minute"] or 0)
    if half["morning"] or half["afternoon"] or half["night"]:
        return in_half(hour, minute, half)
    if bare(clock) and not (half["h"] or half["minute"]):
        return None
    return time(hour % 24, minute) if hour < 24 or (hour, minute) == (24, 0) else None


def in_half(hour: int, minute: int, half: re.Match[str]) -> time | None:
    if half["night"]:
        # Eight at night is in the evening, one at night after midnight.
        late = 6 <= hour < 12
        return time(hour % 12 + 12 * late, minute) if 1 <= hour <= 12 else None
    if half["afternoon"] and 12 < hour < 24:
        return time(hour, minute)
    return time(hour % 12 + 12 * bool(half["afternoon"]), minute) if 1 <= hour <= 12 else None
