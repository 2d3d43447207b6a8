"""Rows as COPY's bytes: what PostgreSQL reads is what was meant."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.forms import model_to_dict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.ingest.row import COLUMNS, COUNT, MORE_TEXTS, NULL, TEXTS, packed
from analytics.ingest.writer import store, store_once
from analytics.models import Event

pytestmark = pytest.mark.django_db

SMALL = st.integers(0, 2**15 - 1)
BIG = st.integers(-(2**63), 2**63 - 1)
# PostgreSQL has no NUL and no halves of characters; the steps before take them out.
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e15, 1e15) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
EVENT = st.fixed_dictionaries(
    {
        "occurred_at": st.datetimes(datetime(2026, 3, 1), datetime(2026, 3, 31, 23), timezones=st.just(UTC)),
        "id": st.integers(0, 2**63 - 1),
        "visitor": BIG,
        "website_id": st.integers(1, 2**31 - 1),
        **dict.fromkeys(("type", "dialect", "device", "screen", "channel", "browser", "os"), SMALL),
        **dict.fromkeys(("is_bot", "is_excluded", "is_authenticated", "is_server"), st.booleans()),
        "path": TEXT,
        **dict.fromkeys(
            ("referrer", "name", "content_group", "utm_source", "utm_medium", "utm_campaign", *MORE_TEXTS),
            st.none() | TEXT,
        ),
        "properties": st.none() | st.dictionaries(TEXT, JSON, min_size=1, max_size=4),
    }
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(EVENT)
def test_every_column_comes_back_as_it_went(columns):
    Event.objects.all().delete()
    store([packed(columns)])
    assert model_to_dict(Event.objects.get(), fields=list(COLUMNS)) == columns


def test_a_row_that_waited_while_columns_were_added_is_stored_beside_new_ones():
    columns = (
        dict.fromkeys(COLUMNS, 1) | dict.fromkeys((*TEXTS, "properties", *MORE_TEXTS)) | {"path": "/", "city": "Oslo"}
    )
    columns |= dict.fromkeys(("is_bot", "is_excluded", "is_authenticated", "is_server"), False)
    new = packed(columns | {"occurred_at": datetime(2026, 3, 1, tzinfo=UTC)})
    old = packed(columns | {"occurred_at": datetime(2026, 3, 2, tzinfo=UTC), "region": None, "city": None})
    assert old.data.endswith(2 * NULL)
    old = replace(old, data=COUNT.pack(len(COLUMNS) - 2) + old.data[COUNT.size : -2 * len(NULL)])
    assert store_once([old, new]) == 0
    assert list(Event.objects.order_by("occurred_at").values_list("occurred_at__day", "path", "city")) == [
        (1, "/", "Oslo"),
        (2, "/", None),
    ]


def test_the_columns_are_the_tables_in_its_order():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_name = 'analytics_event' AND table_schema = current_schema() ORDER BY ordinal_position"
        )
        assert tuple(name for (name,) in cursor.fetchall()) == COLUMNS


def test_a_row_says_whose_and_when_it_is():
    moment = datetime(2026, 3, 18, 9, 30, tzinfo=UTC) + timedelta(microseconds=7)
    numbers = dict.fromkeys(COLUMNS, 0)
    texts = dict.fromkeys((*TEXTS, *MORE_TEXTS))
    row = packed(numbers | texts | {"occurred_at": moment, "website_id": 7, "properties": None})
    assert (row.website_id, row.occurred_at) == (7, moment)
