"""What can be read of a host's date and time."""

from datetime import date, time

import pytest

from submissions.dates import day_of, days_of, time_of

# A Monday.
TODAY = date(2026, 6, 1)


def test_it_works():
    assert day_of("Saturday 20 June 2026", today=TODAY) == date(2026, 6, 20)
    assert days_of("20-22 June 2026", today=TODAY) == (date(2026, 6, 20), date(2026, 6, 22))
    assert time_of("19h30") == time(19, 30)


@pytest.mark.parametrize(
    "text",
    [
        "2026-06-20",
        "2026/6/20",
        "2026-06-20T20:00",
        "20/06/2026",
        "20/6/26",
        "20.06.2026",
        "20-06-2026",
        "06/20/2026",
        "06/20",
        "20/06",
        "20 June 2026",
        "June 20, 2026",
        "June 20th",
        "the 20th of June",
        "Sat 20 June",
        "Sat, Jun 20",
        "SATURDAY JUNE 20TH 2026",
        "Samedi 20 juin 2026",
        "sam. 20 juin",
        "le 20 juin",
        "Sam 20 Juin à 19h30",
        "20 June 2026, 7:30 PM",
        "20 June 8-10pm",
        "السبت 20 يونيو 2026",
        "٢٠ يونيو ٢٠٢٦",
        "۲۰/۰۶/۲۰۲۶",
        "يوم السبت ٢٠ حزيران",
        "20 حزيران/يونيو 2026",
        "السبت 20 جوان 2026 م",
        "🎉 20 June 2026 🎉",
        "Sat 20 June — Fête de la Musique",
    ],
)
def test_a_day_in_any_of_its_spellings(text):
    assert days_of(text, today=TODAY) == (date(2026, 6, 20), date(2026, 6, 20))


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1er juillet 2026", date(2026, 7, 1)),
        ("14 août", date(2026, 8, 14)),
        ("Lundi 1 février 2027", date(2027, 2, 1)),
        ("3 Mar 2027", date(2027, 3, 3)),
        ("mar 9 juin", date(2026, 6, 9)),
        ("mardi 9 juin", date(2026, 6, 9)),
        ("1 May", date(2027, 5, 1)),
        ("١٤ أغسطس", date(2026, 8, 14)),
        ("الأحد 4 أكتوبر", date(2026, 10, 4)),
        ("5 تشرين الأول 2026", date(2026, 10, 5)),
        ("1 كانون الثاني 2027", date(2027, 1, 1)),
        ("06/07/2026", date(2026, 7, 6)),
        ("29 February", date(2028, 2, 29)),
    ],
)
def test_months_and_weekdays_by_their_names(text, day):
    assert day_of(text, today=TODAY) == day


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("today", TODAY),
        ("ce soir", TODAY),
        ("aujourd’hui", TODAY),
        ("الليلة", TODAY),
        ("tomorrow", date(2026, 6, 2)),
        ("Demain soir", date(2026, 6, 2)),
        ("غداً", date(2026, 6, 2)),
        ("après-demain", date(2026, 6, 3)),
        ("the day after tomorrow", date(2026, 6, 3)),
        ("بعد غد", date(2026, 6, 3)),
        ("Saturday", date(2026, 6, 6)),
        ("ce samedi", date(2026, 6, 6)),
        ("Monday", TODAY),
    ],
)
def test_days_counted_from_today(text, day):
    assert day_of(text, today=TODAY) == day


def test_without_a_year_it_is_the_next_one_today_included():
    assert day_of("1 June", today=TODAY) == TODAY
    assert day_of("31 May", today=TODAY) == date(2027, 5, 31)


def test_a_weekday_tells_the_last_one_from_the_next():
    assert day_of("Sunday 31 May", today=TODAY) == date(2026, 5, 31)
    assert day_of("Monday 31 May", today=TODAY) == date(2027, 5, 31)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("20-22 June 2026", date(2026, 6, 20), date(2026, 6, 22)),
        ("20–22 juin 2026", date(2026, 6, 20), date(2026, 6, 22)),
        ("20-22/06/2026", date(2026, 6, 20), date(2026, 6, 22)),
        ("20/06 - 22/06/2026", date(2026, 6, 20), date(2026, 6, 22)),
        ("2026-06-20 - 2026-06-22", date(2026, 6, 20), date(2026, 6, 22)),
        ("June 20-22, 2026", date(2026, 6, 20), date(2026, 6, 22)),
        ("du 20 au 22 juin", date(2026, 6, 20), date(2026, 6, 22)),
        ("from Sat 20 to Mon 22 June", date(2026, 6, 20), date(2026, 6, 22)),
        ("Fri to Sun, 19-21 June 2026", date(2026, 6, 19), date(2026, 6, 21)),
        ("20 and 21 June", date(2026, 6, 20), date(2026, 6, 21)),
        ("20, 21 et 22 juin", date(2026, 6, 20), date(2026, 6, 22)),
        ("30 juin - 2 juillet 2026", date(2026, 6, 30), date(2026, 7, 2)),
        ("30 December - 2 January 2027", date(2026, 12, 30), date(2027, 1, 2)),
        ("30 December - 2 January", date(2026, 12, 30), date(2027, 1, 2)),
        ("من ٢٠ إلى ٢٢ يونيو ٢٠٢٦", date(2026, 6, 20), date(2026, 6, 22)),
        ("السبت والأحد 20 و21 يونيو", date(2026, 6, 20), date(2026, 6, 21)),
        ("today and tomorrow", TODAY, date(2026, 6, 2)),
        ("Friday to Sunday", date(2026, 6, 5), date(2026, 6, 7)),
    ],
)
def test_a_range_is_its_first_and_last_day(text, first, last):
    assert days_of(text, today=TODAY) == (first, last)
    assert day_of(text, today=TODAY) == first


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "TBC",
        "20",
        "le 20",
        "June 2026",
        "2026",
        "every Saturday",
        "Saturdays",
        "tous les samedis de juin",
        "20 or 21 June",
        "next Friday",
        "31 June 2026",
        "2026-13-01",
        "32/06/2026",
        "13/13",
        "19.30",
        "Sunday 20 June 2026",
        "20 June June 21",
        "June July",
        "22-20 June 2026",
        "20260620",
        "maybe",
        "كل سبت",
        "9" * 40,
        "1/" * 20,
        "june " * 1000,
        "\x00",
        "\ud800",
    ],
)
def test_what_says_nothing_or_two_things_is_not_read(text):
    assert days_of(text, today=TODAY) is None
    assert day_of(text, today=TODAY) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("19h30", time(19, 30)),
        ("19h", time(19)),
        ("19 h 30", time(19, 30)),
        ("19H30", time(19, 30)),
        ("19:30", time(19, 30)),
        ("19:30:00", time(19, 30)),
        ("19.30", time(19, 30)),
        ("7:30 PM", time(19, 30)),
        ("7.30pm", time(19, 30)),
        ("7pm", time(19)),
        ("7 p.m.", time(19)),
        ("12am", time(0)),
        ("12 PM", time(12)),
        ("09:00", time(9)),
        ("9h du matin", time(9)),
        ("8 heures du soir", time(20)),
        ("midnight", time(0)),
        ("Minuit", time(0)),
        ("24h", time(0)),
        ("noon", time(12)),
        ("midi", time(12)),
        ("منتصف الليل", time(0)),
        ("٧:٣٠ مساءً", time(19, 30)),
        ("الساعة 8 مساء", time(20)),
        ("9 صباحا", time(9)),
        ("2 بعد الظهر", time(14)),
        ("١٠ ليلا", time(22)),
        ("19h-23h", time(19)),
        ("19:00 - 23:00", time(19)),
        ("7-9pm", time(19)),
        ("11am - 2pm", time(11)),
        ("from 8pm till late", time(20)),
        ("à partir de 20h", time(20)),
        ("8pm to midnight", time(20)),
        ("doors 19:00, show 20:00", time(19)),
    ],
)
def test_a_time_in_any_of_its_spellings(text, found):
    assert time_of(text) == found


@pytest.mark.parametrize(
    "text", ["", "late", "TBC", "20", "25:00", "13am", "evening", "après-midi", "7:61", "99h", "8" * 200, "\ud800"]
)
def test_what_is_no_time_is_not_read(text):
    assert time_of(text) is None
