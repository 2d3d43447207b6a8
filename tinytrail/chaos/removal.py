"""`python -m tinytrail.chaos.removal`: an account with very many events leaves (guarantee F31).

The account is deleted over the API, and asked for again by everybody who knew it; the worker that removes its rows is
killed in the middle, and the next one goes on. Ends with status 1 when a bar was not kept.
"""

import argparse
import contextlib
import http.client
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from celery import Celery

from tinytrail import embedded
from tinytrail.chaos.__main__ import folder, say
from tinytrail.chaos.filling import fill
from tinytrail.chaos.installation import ChaosError, Installation, wait
from tinytrail.chaos.load import CHROME

ANSWER_SECONDS = 2.0
GONE_SECONDS = 15 * 60.0
# A step is a transaction that others may have to wait for.
STEP_SECONDS = 2.0
DAYS = 60
# Days that were built, so that there is something to answer from.
BUILT_DAYS = 2
TABLES = """
SELECT format('SELECT count(*) FROM %I WHERE website_id = %%s', table_name) FROM information_schema.columns
WHERE column_name = 'website_id' AND table_schema = current_schema() AND table_name !~ '_[0-9]{4}_[0-9]{2}$'
"""
EVENTS = "SELECT count(*) FROM analytics_event WHERE website_id = %s"
WAITING = (
    "SELECT EXISTS (SELECT FROM pg_stat_activity"
    " WHERE wait_event_type = 'Lock' AND query LIKE 'DELETE FROM \"analytics_event\"%%')"
)
DELETING = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE 'DELETE FROM%%' AND state <> 'idle')"
LONGEST_STEP = (
    "SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float FROM pg_stat_activity"
    " WHERE query LIKE 'DELETE FROM%%' AND state <> 'idle'"
)


@dataclass
class Figures:
    events: int
    answer_seconds: float = 0.0
    gone_seconds: float = 0.0
    longest_step_seconds: float = 0.0
    # What still answered with something of the account's after it was deleted.
    answers: tuple[str, ...] = ()
    rows_left: int = 0
    rows_at_kill: int = 0

    def table(self) -> str:
        rows = (
            ("events", f"{self.events:,}", ""),
            ("answered within", f"{self.answer_seconds:.2f} s", f"at most {ANSWER_SECONDS:g} s"),
            ("still in the answer of", ", ".join(self.answers) or "nobody", "nobody"),
            ("events left when the worker was killed", f"{self.rows_at_kill:,}", ""),
            ("longest step", f"{self.longest_step_seconds:.2f} s", f"at most {STEP_SECONDS:g} s"),
            ("rows gone after", f"{self.gone_seconds:.0f} s", f"at most {GONE_SECONDS:g} s"),
            ("rows left", str(self.rows_left), "0"),
        )
        return "\n".join(f"{name:40}{value:>14}   {bar}" for name, value, bar in rows)

    @property
    def is_kept(self) -> bool:
        return (
            self.answer_seconds <= ANSWER_SECONDS
            and self.gone_seconds <= GONE_SECONDS
            and self.longest_step_seconds <= STEP_SECONDS
            and not self.answers
            and not self.rows_left
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tinytrail.chaos.removal", description=__doc__)
    parser.add_argument("--events", type=int, default=5_000_000, help="of the account (default: %(default)s)")
    options = parser.parse_args()
    try:
        with folder() as data, Installation(data) as installation:
            figures = rehearse(installation, options.events, say=say)
    except ChaosError as error:
        sys.exit(str(error))
    say(f"\n{figures.table()}\n")
    sys.exit(0 if figures.is_kept else 1)


def rehearse(installation: Installation, events: int, *, say: Callable[[str], None] = print) -> Figures:
    """Gives the installation's account so many events, and deletes it.

    Beat need not run: what it asks for every minute is asked for here.
    """
    figures = Figures(events)
    admin = installation.manage("create_api_user", "--account", "Operator", "--role", "admin")["apiKey"]
    say(f"Storing {events:,} events ...")
    fill(installation, installation.website_id, events, days=DAYS, now=datetime.now(UTC))
    have_built(installation)
    if missing := sorted(set(questions(installation, admin)) - set(answered(installation, admin))):
        raise ChaosError(f"Nothing of the account stands in the answer of {', '.join(missing)}.")
    say("Deleting the account ...")
    began = time.monotonic()
    status, _ = call(installation, "DELETE", f"/api/v1/accounts/{account_of(installation)}", admin)
    figures.answer_seconds = time.monotonic() - began
    if status != 200:
        raise ChaosError(f"The account could not be deleted: {status}.")
    figures.answers = answered(installation, admin)
    remove_rows(installation, figures, say)
    figures.gone_seconds = time.monotonic() - began
    figures.rows_left = rows_left(installation)
    return figures


def have_built(installation: Installation) -> None:
    """Has the last days built, by a report that asks for them."""
    today = datetime.now(UTC).date()
    days = [today - timedelta(days=back) for back in range(BUILT_DAYS)]
    with installation.connect() as connection:
        for day in days:
            connection.execute(
                "INSERT INTO analytics_dirtyday (website_id, day) VALUES (%s, %s)", [installation.website_id, day]
            )
    if not installation.pageviews(min(days), max(days)):
        raise ChaosError("The report shows none of the events.")


def account_of(installation: Installation) -> str:
    (account,) = installation.ask("SELECT account_id FROM accounts_website WHERE id = %s", installation.website_id)
    return str(account)


# -- what everybody is answered ----------------------------------------------------------------------------------------


def questions(installation: Installation, admin: str) -> dict[str, tuple[str, str, str]]:
    """By name what is asked, with whose key, and what stands in the answer as long as the account is there."""
    report = f"/api/v1/reports/summary?website_id={installation.website}&period=7d"
    return {
        "its own report": (report, installation.key, "pageviews"),
        "its own websites": ("/api/v1/websites", installation.key, installation.website),
        "an administrator's report": (report, admin, "pageviews"),
        "the list of websites": ("/api/v1/websites", admin, installation.website),
        "the list of accounts": ("/api/v1/accounts", admin, "Acme"),
        "the list of users": ("/api/v1/users", admin, account_of(installation)),
    }


def answered(installation: Installation, admin: str) -> tuple[str, ...]:
    """The names of the questions whose answer holds something of the account's."""
    found = []
    for name, (path, key, words) in questions(installation, admin).items():
        status, body = call(installation, "GET", path, key)
        if status == 200 and words in body:
            found.append(name)
    if call(installation, "POST", "/api/v1/collect", "", event(installation))[0] == 202:
        found.append("collect")
    return tuple(found)


def event(installation: Installation) -> str:
    url = "https://acme.example/"
    return json.dumps({"website_id": installation.website, "event_type": "page_view", "url": url, "path": "/late"})


def call(installation: Installation, method: str, path: str, key: str, body: str = "") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", installation.port, timeout=60)
    headers = {"X-API-KEY": key, "User-Agent": CHROME, "Content-Type": "application/json"}
    with contextlib.closing(connection):
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


# -- the rows ----------------------------------------------------------------------------------------------------------


def remove_rows(installation: Installation, figures: Figures, say: Callable[[str], None]) -> None:
    """Has the worker remove them, kills it in the middle, and has the next one do the rest."""
    with installation.connect() as other, other.transaction():
        # The step that comes to this event waits for it.
        other.execute(
            "SELECT FROM analytics_event WHERE website_id = %s AND id = %s FOR UPDATE",
            [installation.website_id, figures.events // 2],
        )
        ask_for_removal(installation)
        wait(lambda: is_removal_waiting(installation), GONE_SECONDS, "The worker has not come to half of the events")
        figures.rows_at_kill = int(installation.ask(EVENTS, installation.website_id)[0])
        say(f"Killing the worker, with {figures.rows_at_kill:,} events left ...")
        installation.kill_group("worker")
        installation.processes["worker"].wait()
    wait(lambda: installation.ask(DELETING) == (False,), GONE_SECONDS, "The killed worker's step has not ended")
    installation.look_after()
    ask_for_removal(installation)

    def is_done() -> bool:
        step = float(installation.ask(LONGEST_STEP)[0])
        figures.longest_step_seconds = max(figures.longest_step_seconds, step)
        website = installation.ask("SELECT count(*) FROM accounts_website WHERE id = %s", installation.website_id)
        return website == (0,)

    wait(is_done, GONE_SECONDS, "The website is still there")


def ask_for_removal(installation: Installation) -> None:
    """What beat does every minute."""
    broker = embedded.redis_url(installation.data).replace("unix://", "redis+socket://", 1)
    with Celery("rehearsal", broker=broker, set_as_current=False) as app:
        app.send_task("analytics.tasks.purge_deleted")


def is_removal_waiting(installation: Installation) -> bool:
    return installation.ask(WAITING) == (True,)


def rows_left(installation: Installation) -> int:
    """The rows of the website in every table that has such a column."""
    with installation.connect() as connection:
        counts = [question for (question,) in connection.execute(TABLES)]
        return sum(int(installation.ask(count, installation.website_id)[0]) for count in counts)


if __name__ == "__main__":
    main()
