import contextlib
from argparse import ArgumentParser
from datetime import UTC
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from accounts.bootstrap import first_start
from accounts.models import Website
from accounts.sign_in import sign_in_link
from analytics.retention import ensure_partitions
from submissions import calendars
from tinytrail import checks
from tinytrail.command import TinyCommand
from tinytrail.management.commands.roles import applied
from tinytrail.restoring import make_good


class Command(TinyCommand):
    help = (
        "Brings an installation up to date before its processes start: refuses a wrong one, migrates, collects static "
        "files, and makes the owner and a first website while there are none."
    )

    # Ours are made below, and told in one sentence.
    requires_system_checks = ()

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--base-url",
            default=f"http://{settings.HOST}:{settings.PORT}",
            help="address of this installation (default: %(default)s)",
        )

    def run(self, **options: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401
        base_url: str = options["base_url"]
        try:
            checks.refuse_wrong_installation()
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from None
        call_command("migrate", interactive=False, verbosity=0)
        applied()
        with contextlib.suppress(redis.RedisError):  # the worker does it once Redis is there
            make_good(now=timezone.now())
        if is_static_stale():
            call_command("collectstatic", interactive=False, verbosity=0)
        ensure_partitions(today=timezone.now().astimezone(UTC).date())
        owner = first_start()
        if owner.website and calendars.default() is None:
            calendars.spare(owner.website)
        link = sign_in_link(owner.user, base_url)
        return f"Ready. Sign in: {link}", {
            "signIn": link,
            "websiteId": str(owner.website.public_id) if owner.website else None,
            "domain": owner.website.domain if owner.website else None,
            "snippet": snippet(owner.website, base_url) if owner.website else None,
        }


def is_static_stale() -> bool:
    """Whether a static file is newer than what was collected. To look is quick; to collect is half of a start."""
    manifest = settings.STATIC_ROOT / "staticfiles.json"
    if not manifest.exists():
        return True
    collected_at = manifest.stat().st_mtime
    return any(
        Path(storage.path(name)).stat().st_mtime > collected_at
        for finder in get_finders()
        for name, storage in finder.list([])
    )


def snippet(website: Website, base_url: str) -> str:
    return f'<script defer data-id="{website.public_id}" src="{base_url}/js/tracker.js"></script>'
