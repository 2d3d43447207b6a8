"""`manage.py doctor`: one finding for each thing that is wrong, and what to do about it."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import LazySettings
from django.core.management import call_command
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from accounts.removal import remove_website
from accounts.tests.builders import make_account, make_website
from analytics.models import DirtyDay, Salt
from analytics.retention import ensure_partitions
from submissions.models import Mail
from tinytrail import doctor, sending
from tinytrail.celery import app
from tinytrail.doctor import Examination, Finding
from tinytrail.tests.engines import ROOT, clean_environment, three_secrets

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 7, 15, 12, tzinfo=UTC)


def only(examination: Examination, now: datetime = NOW) -> Finding:
    (finding,) = doctor.told(examination, now)
    return finding


def test_it_works() -> None:
    now = timezone.now()
    ensure_partitions(today=now.date())
    findings = doctor.examine(now=now)
    assert {finding.subject for finding in findings if finding.level == "error"} == {"worker", "beat"}
    assert all(finding.advice for finding in findings if finding.level != "ok")


def test_missing_partitions_are_found() -> None:
    now = datetime(2031, 12, 31, 23, tzinfo=UTC)
    ensure_partitions(today=now.date())
    assert only(doctor.partitions_ahead, now).level == "ok"
    finding = only(doctor.partitions_ahead, now + timedelta(hours=2))
    assert (finding.level, finding.sentence) == (
        "error",
        "The partitions analytics_event_2032_02, analytics_visit_2032_02 are missing.",
    )


def test_a_migration_that_is_not_applied_is_found() -> None:
    assert only(doctor.migrations).level == "ok"
    MigrationRecorder.Migration.objects.filter(app="sessions").delete()
    assert only(doctor.migrations).sentence == "1 migrations are not applied."


def test_builds_that_fall_behind_are_found() -> None:
    DirtyDay.objects.create(website_id=1, day=NOW.date(), at=NOW - timedelta(minutes=9))
    assert only(doctor.builds).level == "ok"
    DirtyDay.objects.create(website_id=1, day=NOW.date(), at=NOW - timedelta(minutes=11))
    finding = only(doctor.builds)
    assert (finding.level, finding.sentence) == (
        "error",
        "The oldest day that waits for its build has waited since 2026-07-15 11:49 UTC.",
    )


def test_a_salt_that_outlives_its_day_is_found() -> None:
    Salt.objects.create(day=NOW.date(), value=bytes(32))
    midnight = datetime(2026, 7, 16, tzinfo=UTC)
    assert only(doctor.salts, midnight + timedelta(minutes=59)).level == "ok"
    finding = only(doctor.salts, midnight + timedelta(minutes=61))
    assert (finding.level, finding.sentence) == (
        "error",
        "The salt of 2026-07-15 is still there, and its visitor keys can be traced.",
    )


def test_secrets_that_others_can_read_are_found(tmp_path: Path, settings: LazySettings) -> None:
    settings.DATA = tmp_path
    assert doctor.told(doctor.secret_files, NOW) == []
    secret = tmp_path / "secrets/pepper"
    secret.parent.mkdir()
    secret.touch(0o600)
    assert only(doctor.secret_files).level == "ok"
    secret.chmod(0o640)
    assert str(only(doctor.secret_files)) == (f"error   secrets: Others can read {secret}. Run `chmod 600 {secret}`.")


def test_a_full_disk_is_found(monkeypatch: pytest.MonkeyPatch, settings: LazySettings) -> None:
    settings.EMBEDDED_ENGINES = ["postgres"]
    assert only(doctor.disk).level == "ok"
    monkeypatch.setattr(doctor, "NEARLY_FULL_BYTES", 2**60)
    assert only(doctor.disk).level == "warning"
    monkeypatch.setattr(doctor, "FULL_BYTES", 2**60)
    assert only(doctor.disk).level == "error"


def test_mail_that_is_not_sent_is_found() -> None:
    def wait(key: str, minutes: int, **options: Any) -> None:
        at = NOW - timedelta(minutes=minutes)
        Mail.objects.create(key=key, kind="received", to="x@example.com", created_at=at, due_at=at, **options)

    wait("young", 14)
    wait("sent", 60, sent_at=NOW)
    assert only(doctor.mail).level == "ok"
    wait("refused", 60, attempts=3, error="SMTPRecipientsRefused")
    finding = only(doctor.mail)
    assert (finding.level, finding.sentence) == (
        "warning",
        "1 mails wait, the oldest since 2026-07-15 11:00 UTC (SMTPRecipientsRefused).",
    )
    wait("untried", 16)
    assert only(doctor.mail).level == "error"


def test_mail_that_reaches_nobody_is_told(settings: LazySettings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    levels = [finding.level for finding in doctor.told(doctor.mail, NOW)]
    assert levels == ["ok", "ok"]


def test_a_worker_that_does_not_answer_is_found() -> None:
    finding = only(doctor.worker)
    assert (finding.level, finding.sentence) == ("error", "No Celery worker answers.")


def test_tasks_that_nobody_takes_are_found_with_the_age_of_the_oldest(settings: LazySettings) -> None:
    assert only(doctor.tasks).level == "ok"
    app.send_task("analytics.tasks.drain_outage")
    app.send_task("analytics.tasks.drain_outage")
    sent = timezone.now()
    assert only(doctor.tasks, sent + timedelta(minutes=4)).sentence == "2 tasks wait for a worker."
    finding = only(doctor.tasks, sent + timedelta(minutes=6))
    assert (finding.level, finding.sentence) == (
        "error",
        f"2 tasks wait for a worker, the oldest since {sent:%Y-%m-%d %H:%M} UTC.",
    )


def test_a_beat_that_is_silent_is_found(settings: LazySettings) -> None:
    assert only(doctor.beat).sentence == "Beat has never sent a task."
    sending.leave_mark()
    sent = timezone.now()
    assert only(doctor.beat, sent + timedelta(seconds=90)).level == "ok"
    finding = only(doctor.beat, sent + timedelta(seconds=150))
    assert (finding.level, finding.sentence) == ("error", f"Beat has sent no task since {sent:%Y-%m-%d %H:%M} UTC.")


def test_what_was_deleted_and_stays_is_found() -> None:
    website = make_website(make_account("Acme"))
    assert only(doctor.removals).level == "ok"
    remove_website(website, by=None, now=NOW)
    assert only(doctor.removals, NOW + timedelta(minutes=14)).level == "ok"
    finding = only(doctor.removals, NOW + timedelta(minutes=16))
    assert (finding.level, finding.sentence) == (
        "error",
        "Rows of an account or website that was deleted at 2026-07-15 12:00 UTC are still there.",
    )


def test_connections_that_run_out_are_found(monkeypatch: pytest.MonkeyPatch, settings: LazySettings) -> None:
    assert only(doctor.connections_left).level == "ok"
    monkeypatch.setattr(doctor, "NEARLY_ALL", 0.0)
    assert only(doctor.connections_left).level == "warning"
    settings.WEB_WORKERS = 99
    levels = [finding.level for finding in doctor.told(doctor.connections_left, NOW)]
    assert levels == ["error", "warning"]


def test_a_server_that_is_away_is_one_finding(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "doctor", "--json"],
        cwd=ROOT,
        env=clean_environment(
            TINYTRAIL_DATA=tmp_path,
            DATABASE_URL="postgresql://acme@127.0.0.1:1/acme",
            REDIS_URL="redis://127.0.0.1:1/0",
            **three_secrets(),
        ),
        capture_output=True,
        text=True,
        timeout=60,
    )
    said = json.loads(done.stdout)
    assert (done.returncode, said["healthy"]) == (1, False)
    assert [(finding["subject"], finding["advice"]) for finding in said["findings"] if finding["level"] == "error"] == [
        ("postgresql", "Start it; see DATABASE_URL."),
        ("redis", "Start it; see REDIS_URL."),
    ]


def test_a_redis_without_persistence_is_a_warning(settings: LazySettings) -> None:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        persists = bool(client.info("persistence")["aof_enabled"])
    assert only(doctor.redis_server).level == ("ok" if persists else "warning")


def test_an_error_ends_the_command_with_a_status(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        call_command("doctor", json=True)
    said = capsys.readouterr()
    assert end.value.code == 1
    assert not json.loads(said.out)["healthy"]
    assert "error   worker: No Celery worker answers. Start one: `make run`, or see Procfile.\n" in said.err
