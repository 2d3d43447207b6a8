"""The nine reports over HTTP: parameters, scopes, shapes (contract 2.9, 2.10).

What the numbers mean is held against an independent implementation in test_definitions.py.
"""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.models import User
from analytics.models import BuiltDay
from analytics.reports import REPORTS
from analytics.rollups.build import build
from analytics.tests.builders import data, load, make_account, make_key, make_website, noon, report

pytestmark = pytest.mark.django_db

EXTRA = {"funnel": {"steps[]": ["/", "/blog"]}}
EVERY = sorted(REPORTS)
PERIODIC = [name for name in EVERY if name != "realtime"]


@pytest.fixture(autouse=True)
def _without_limit(monkeypatch):
    monkeypatch.setitem(settings.LIMITS, "API_KEY", None)


@pytest.fixture
def acme():
    website = make_website()
    moment = noon()
    load(
        website,
        {"at": moment, "path": "/", "referrer": "https://www.google.com/"},
        {"at": moment + timedelta(seconds=30), "path": "/blog"},
        {"at": moment + timedelta(seconds=60), "event_type": "custom", "properties": {"event_name": "=signup"}},
        {"at": moment, "path": "/", "ip": "203.0.113.10"},
    )
    return website


@pytest.fixture
def key(acme):
    return make_key(acme.account)


def ask(client, name, website, key, **parameters):
    return report(client, name, website, key, **(EXTRA.get(name, {}) | parameters))


def refusal(answer):
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_PAYLOAD")
    return answer.json()["error"]["message"]


@pytest.mark.parametrize("name", EVERY)
def test_each_report_answers_in_the_envelope(client, acme, key, name):
    answer = ask(client, name, acme, key)
    assert (answer.status_code, answer["Content-Type"], answer.json()["status"]) == (200, "application/json", "success")


@pytest.mark.parametrize("name", EVERY)
def test_without_a_key_each_report_is_401(client, acme, name):
    answer = client.get(f"/api/v1/reports/{name}", {"website_id": str(acme.public_id)})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "UNAUTHORIZED")


@pytest.mark.parametrize("name", EVERY)
def test_another_accounts_website_and_one_that_is_not_there_are_the_same_404(client, acme, name):
    stranger = make_key(make_account("Globex"))
    answers = [
        client.get(f"/api/v1/reports/{name}", EXTRA.get(name, {}) | {"website_id": str(id_)}, HTTP_X_API_KEY=stranger)
        for id_ in (acme.public_id, uuid4())
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content


def test_an_admin_sees_the_websites_of_every_account(client, acme):
    root = make_key(make_account("root"), User.Role.ADMIN)
    assert ask(client, "summary", acme, root).status_code == 200


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("website_id", [None, "", "x", "{550e8400-e29b-41d4-a716-446655440000}"])
def test_a_missing_or_malformed_website_id_is_400(client, key, name, website_id):
    query = EXTRA.get(name, {}) | ({} if website_id is None else {"website_id": website_id})
    assert "website_id" in refusal(client.get(f"/api/v1/reports/{name}", query, HTTP_X_API_KEY=key))


def test_a_wrong_parameter_is_told_before_the_website_is_looked_up(client, key):
    query = {"website_id": str(uuid4()), "period": "x"}
    assert "period" in refusal(client.get("/api/v1/reports/summary", query, HTTP_X_API_KEY=key))


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("period", "14d"),
        ("period", "7D"),
        ("start_date", "2026-02-30"),
        ("start_date", "20260301"),
        ("start_date", "0000-01-01"),
        ("start_date", "2999-01-01"),
        ("end_date", "2026-03-01"),
        ("compare", "last_week"),
        ("page", "0"),
        ("page", "-1"),
        ("page", "x"),
        ("page", "1.5"),
        ("page", "٣"),
        ("page", "99999999999999999999"),
        ("per_page", "0"),
        ("per_page", "501"),
        ("format", "xml"),
        ("content_group", "a\0b"),
    ],
)
def test_a_wrong_value_is_400_and_named(client, acme, key, name, parameter, value):
    assert parameter in refusal(ask(client, name, acme, key, **{parameter: value}))


@pytest.mark.parametrize(("start", "end"), [("2026-03-02", "2026-03-01"), ("1971-01-01", "2071-01-01")])
def test_a_range_that_is_backwards_or_endless_is_400(client, acme, key, start, end):
    refusal(ask(client, "summary", acme, key, start_date=start, end_date=end))


@pytest.mark.parametrize(
    "parameter", ["period", "start_date", "compare", "page", "per_page", "format", "content_group"]
)
def test_an_empty_parameter_is_an_absent_one(client, acme, key, parameter):
    assert data(client, "summary", acme, key, **{parameter: ""}) == data(client, "summary", acme, key)


def test_unknown_parameters_are_ignored(client, acme, key):
    assert data(client, "summary", acme, key, nonsense="x") == data(client, "summary", acme, key)


@pytest.mark.parametrize("value", ["1", "TRUE", "yes", "false"])
def test_only_the_word_true_includes_bots(client, acme, key, value):
    assert data(client, "summary", acme, key, include_bots=value) == data(client, "summary", acme, key)


def test_an_unknown_content_group_is_an_empty_answer(client, acme, key):
    assert data(client, "pages", acme, key, content_group="Nothing")["rows"] == []
    assert data(client, "summary", acme, key, content_group="Nothing")["metrics"]["visits"] == {"value": 0}


@pytest.mark.parametrize("text", ["' OR 1=1 --", "%", "_", "\\", "%s", "%(website)s", ";"])
def test_text_parameters_are_only_text(client, acme, key, text):
    assert data(client, "custom-events", acme, key, event_name=text)["rows"] == []
    assert data(client, "pages", acme, key, content_group=text)["rows"] == []
    funnel = data(client, "funnel", acme, key, **{"steps[]": [text, "/"]})["funnel"]
    assert [step["sessions"] for step in funnel] == [0, 0]


def test_a_page_past_the_end_is_empty(client, acme, key):
    answer = data(client, "pages", acme, key, page=999_999)
    assert (answer["page"], answer["rows"]) == (999_999, [])


def test_pages_are_slices_of_one_order(client, acme, key):
    whole = data(client, "pages", acme, key)["rows"]
    slices = [data(client, "pages", acme, key, per_page=1, page=page)["rows"] for page in (1, 2)]
    assert [row for rows in slices for row in rows] == whole
    assert len(whole) == 2


def test_both_spellings_of_a_report_are_served(client, acme, key):
    answer = client.get("/api/v1/reports/summary/", {"website_id": str(acme.public_id)}, HTTP_X_API_KEY=key)
    assert answer.status_code == 200


def test_the_website_id_may_be_in_upper_case(client, acme, key):
    query = {"website_id": str(acme.public_id).upper()}
    assert client.get("/api/v1/reports/summary", query, HTTP_X_API_KEY=key).status_code == 200


CSV = {
    "summary": "metric,value,previous,change_pct\r\nvisits,2,,\r\nunique_visitors,2,,\r\npageviews,3,,\r\n"
    "bounce_rate,50.0,,\r\navg_session_duration_sec,30,,\r\n",
    "pages": "path,contentGroup,pageviews,uniquePageviews\r\n/,,2,2\r\n/blog,,1,1\r\n",
    "sources": "channel,visits\r\nDirect,1\r\nOrganic Search,1\r\n",
    "devices": "deviceType,visits\r\ndesktop,2\r\n",
    "flow": "path,entries\r\n/,2\r\n",
    "funnel": "step,sessions,conversion_rate\r\n/,2,100\r\n/blog,1,50.0\r\n",
    "custom-events": "name,count\r\n'=signup,1\r\n",
}


@pytest.mark.parametrize("name", sorted(CSV))
def test_csv_holds_the_same_rows(client, acme, key, name):
    answer = ask(client, name, acme, key, format="csv", period="yesterday")
    day = noon().date()
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == f'attachment; filename="{name}-{day}-{day}.csv"'
    assert answer.content.decode() == CSV[name]


def test_csv_of_a_series_has_every_day(client, acme, key):
    answer = ask(client, "timeseries", acme, key, format="csv", period="yesterday")
    assert answer.content.decode() == f"date,value\r\n{noon().date()},3\r\n"


def test_csv_columns_of_sources_follow_the_grouping(client, acme, key):
    answer = ask(client, "sources", acme, key, format="csv", group_by="domain")
    assert answer.content.decode() == "referrer,visits\r\ngoogle.com,1\r\n"


def test_realtime_is_json_whatever_format_is_asked_for(client, acme, key):
    assert ask(client, "realtime", acme, key, format="csv")["Content-Type"] == "application/json"


def test_errors_of_a_csv_stay_json(client, acme, key):
    refusal(ask(client, "pages", acme, key, format="csv", page=0))


@pytest.mark.parametrize("metric", ["visitors", "avg_session_duration_sec", "Pageviews"])
def test_an_unknown_metric_is_400(client, acme, key, metric):
    assert "metric" in refusal(ask(client, "timeseries", acme, key, metric=metric))


def test_an_unknown_grouping_is_400(client, acme, key):
    assert "group_by" in refusal(ask(client, "sources", acme, key, group_by="medium"))


@pytest.mark.parametrize("steps", [[], ["/"], ["/", " "], ["/"] * 21, ["/", "x" * 2_049]])
def test_a_funnel_has_2_to_20_steps_none_of_them_blank(client, acme, key, steps):
    assert "steps[]" in refusal(report(client, "funnel", acme, key, **{"steps[]": steps}))


@pytest.mark.parametrize(
    "spelling", ["steps[]=/&steps[]=/blog", "steps%5B%5D=%2F&steps%5B%5D=%2Fblog", "steps=/&steps=/blog"]
)
def test_steps_are_read_in_each_spelling(client, acme, key, spelling):
    answer = client.get(f"/api/v1/reports/funnel?website_id={acme.public_id}&{spelling}", HTTP_X_API_KEY=key)
    assert [step["sessions"] for step in answer.json()["data"]["funnel"]] == [2, 1]


def test_the_answer_does_not_depend_on_whether_an_aggregation_has_run(client, acme, key):
    before = {name: ask(client, name, acme, key).content for name in PERIODIC}
    build(acme.id, noon().date(), now=timezone.now())
    assert {name: ask(client, name, acme, key).content for name in PERIODIC} == before


def test_what_was_accepted_before_the_report_is_in_it(client, acme, key):
    assert data(client, "summary", acme, key)["metrics"]["pageviews"] == {"value": 3}
    load(acme, {"at": noon(), "ip": "203.0.113.77"})
    assert data(client, "summary", acme, key)["metrics"]["pageviews"] == {"value": 4}


def test_a_busy_website_says_how_old_its_answer_is(client, acme, key):
    assert "Age" not in ask(client, "summary", acme, key)
    BuiltDay.objects.update(milliseconds=10_000, built_at=timezone.now() - timedelta(seconds=30))
    load(acme, {"at": noon()})
    assert 30 <= int(ask(client, "summary", acme, key)["Age"]) < 60


def test_the_number_of_queries_does_not_grow_with_the_events(client, acme, key, django_assert_num_queries):
    def asked():
        with django_assert_num_queries(4):
            ask(client, "pages", acme, key)

    ask(client, "pages", acme, key)
    asked()
    load(acme, *({"at": noon(n), "path": f"/{n}"} for n in range(1, 6)))
    ask(client, "pages", acme, key)
    asked()


# -- aggregate --------------------------------------------------------------------------------------------------------


def aggregate(client, key, body="", **options):
    return client.post(
        "/api/v1/admin/aggregate", body, HTTP_X_API_KEY=key, **({"content_type": "application/json"} | options)
    )


@pytest.fixture
def root():
    return make_key(make_account("root"), User.Role.ADMIN)


@pytest.mark.parametrize("body", ["", "{}", '{"date":null}'])
def test_aggregation_builds_yesterday_by_default(client, acme, root, body):
    answer = aggregate(client, root, body)
    message = {"message": f"Aggregation completed for {noon().date()}"}
    assert (answer.status_code, answer.json()) == (200, {"status": "success", "data": message})
    assert BuiltDay.objects.get().day == noon().date()


def test_aggregation_takes_a_date_and_may_be_repeated(client, acme, root, key):
    for _ in range(2):
        assert aggregate(client, root, '{"date":"2026-03-18"}').json()["data"]["message"].endswith("2026-03-18")
    before = data(client, "summary", acme, key)
    for _ in range(2):
        aggregate(client, root)
    assert data(client, "summary", acme, key) == before


@pytest.mark.parametrize("date", ["2999-01-01", "9999-12-31", "0001-01-01"])
def test_aggregation_of_a_day_without_events_does_nothing(client, acme, root, date):
    before = tables()
    assert aggregate(client, root, f'{{"date":"{date}"}}').status_code == 200
    assert BuiltDay.objects.count() == 0
    # No month of nothing is made either.
    assert tables() == before


def tables():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class")
        return cursor.fetchone()


@pytest.mark.parametrize("date", ['"2026-02-30"', '"20260318"', '"x"', "7", "true", "[]", '""'])
def test_aggregation_of_no_date_is_400(client, root, date):
    refusal(aggregate(client, root, f'{{"date":{date}}}'))


def test_aggregation_is_for_admins(client, key):
    assert aggregate(client, key).status_code == 403
