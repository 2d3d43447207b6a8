"""submissions --open|--closed, and show submissions (running.md)."""

import json
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from accounts.tests.builders import make_account, make_website
from submissions import intake
from submissions.models import Calendar
from submissions.proposal import Proposal
from submissions.tests.builders import CLEAN, NOW, make_calendar, make_spam, make_submission
from submissions.tests.proposing import EXAMPLE

pytestmark = pytest.mark.django_db


def run(*words: str) -> tuple[dict[str, Any], str]:
    """What a command prints for programs, and for people."""
    out, err = StringIO(), StringIO()
    call_command(*words, "--json", stdout=out, stderr=err)
    return json.loads(out.getvalue()), err.getvalue().strip()


def test_it_closes_and_opens_the_default_calendar() -> None:
    acme = make_calendar(is_default=True)
    assert run("submissions", "--closed") == ({"open": False}, "The calendar acme.example is closed for proposals.")
    acme.refresh_from_db()
    assert (acme.is_open, acme.toggled_by) == (False, "command")
    assert acme.toggled_at is not None
    assert run("submissions", "--open") == ({"open": True}, "The calendar acme.example is open for proposals.")
    acme.refresh_from_db()
    assert acme.is_open


def test_it_closes_the_calendar_of_a_website_and_no_other() -> None:
    acme = make_calendar(is_default=True)
    globex = make_calendar(make_website(make_account("Globex"), "globex.example"))
    run("submissions", "--closed", "--website", str(globex.website.public_id))
    assert dict(Calendar.objects.values_list("name", "is_open")) == {acme.name: True, globex.name: False}


def test_a_website_without_a_calendar_gets_one() -> None:
    website = make_website(make_account())
    assert run("submissions", "--open")[0] == {"open": True}
    assert Calendar.objects.get().website == website


def test_without_a_website_it_says_so() -> None:
    with pytest.raises(CommandError, match="There is no website yet"):
        run("submissions", "--open")
    with pytest.raises(CommandError, match="There is no website"):
        run("submissions", "--open", "--website", str(uuid4()))


@pytest.mark.parametrize("words", [[], ["--open", "--closed"]])
def test_it_is_one_or_the_other(words: list[str]) -> None:
    with pytest.raises(CommandError):
        run("submissions", *words)


# -- show submissions -------------------------------------------------------------------------------------------------


def test_show_has_the_documented_keys() -> None:
    flags = [{"signal": "past_date", "sentence": "It is over.", "evidence": {"day": "2020-01-01"}}]
    submission = make_submission(make_calendar(), "Fête", email="host@example.test", flags=flags)
    assert run("show", "submissions")[0] == {
        "rows": [
            {
                "id": str(submission.id),
                "status": "pending",
                "reviewReason": None,
                "reviewedBy": None,
                "spamSignals": CLEAN,
                "flags": [{"signal": "past_date", "sentence": "It is over."}],
                "eventName": "Fête",
                "hostEmail": "host@example.test",
                "acceptedEventKey": None,
            }
        ]
    }


def test_show_has_what_became_of_them() -> None:
    calendar = make_calendar()
    make_spam(calendar, email=None)
    make_submission(
        calendar, status="accepted", review_reason="accepted", reviewed_by="Ada", accepted_event_key="evt_1"
    )
    rows = {row["status"]: row for row in run("show", "submissions")[0]["rows"]}
    spam, accepted = rows["declined"], rows["accepted"]
    assert (spam["reviewReason"], spam["reviewedBy"], spam["hostEmail"]) == ("spam_signal", "system", None)
    assert (accepted["reviewReason"], accepted["reviewedBy"], accepted["acceptedEventKey"]) == (
        "accepted",
        "Ada",
        "evt_1",
    )


def test_show_has_the_newest_first_and_of_a_website_its_own() -> None:
    acme = make_calendar()
    globex = make_calendar(make_website(make_account("Globex"), "globex.example"))
    make_submission(globex, "Theirs")
    for hour in range(3):
        make_submission(acme, f"Ours {hour}", created_at=NOW.replace(hour=hour))
    own = ["show", "submissions", "--website", str(acme.website.public_id)]
    assert [row["eventName"] for row in run(*own)[0]["rows"]] == ["Ours 2", "Ours 1", "Ours 0"]
    assert [row["eventName"] for row in run(*own, "--limit", "1")[0]["rows"]] == ["Ours 2"]


def test_what_is_shown_of_a_proposal_is_what_was_sent() -> None:
    proposal = Proposal.read(EXAMPLE)
    intake.submit(make_calendar(), proposal, honeypot="x", form_started_at="", address="", now=NOW)
    (row,) = run("show", "submissions")[0]["rows"]
    assert row["spamSignals"] == {
        "honeypotFilled": True,
        "completedTooFast": False,
        "completionSeconds": None,
        "reasons": ["honeypot_filled"],
    }
