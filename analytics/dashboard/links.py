"""Shared links: made, found by their tokens, opened with a password, revoked.

A token is the link's id under the installation's signature: the database holds nothing that opens a page.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from django.contrib.auth.hashers import check_password, make_password
from django.core.signing import BadSignature, Signer, TimestampSigner
from django.db import transaction

from accounts import audit, erasures
from accounts.models import Erasure, User, Website
from analytics.models import SharedLink
from submissions.models import CatalogEvent

OPEN_FOR = timedelta(days=30)
_signer = Signer(salt="analytics.share", sep=".")


@transaction.atomic
def share(
    website: Website,
    *,
    name: str,
    password: str,
    hosts: list[str],
    last_day: date | None,
    by: User,
    event: CatalogEvent | None = None,
) -> SharedLink:
    """A new link, of the website or of one of its events. It opens up to the end of its last day, UTC."""
    link = SharedLink.objects.create(
        website=website,
        event=event,
        name=name,
        password=make_password(password) if password else "",
        hosts=hosts,
        expires_at=datetime.combine(last_day + timedelta(days=1), time(), UTC) if last_day else None,
    )
    audit.record("shared_link.create", link.id, by=by)
    return link


@transaction.atomic
def revoke(link: SharedLink, *, by: User, now: datetime) -> None:
    """It opens nothing from now on. Revoking twice is once."""
    if SharedLink.objects.filter(pk=link.pk, revoked_at=None).update(revoked_at=now):
        audit.record("shared_link.revoke", link.id, by=by)
        erasures.note(Erasure.Kind.SHARED_LINK, link.id)


def revoke_again(ids: Iterable[str], *, now: datetime) -> int:
    """In a database that was restored."""
    return SharedLink.objects.filter(pk__in=ids, revoked_at=None).update(revoked_at=now)


def token_of(link: SharedLink) -> str:
    return _signer.sign(link.pk.hex)


def link_of(token: str, *, now: datetime) -> SharedLink | None:
    """The link that a token opens now."""
    try:
        link_id = UUID(_signer.unsign(token))
    except (BadSignature, ValueError):
        return None
    return SharedLink.objects.live(now).select_related("website__account", "event").filter(pk=link_id).first()


def is_right(link: SharedLink, password: str) -> bool:
    return check_password(password, link.password)


def pass_for(link: SharedLink) -> str:
    """What a browser keeps after the password was right: good for this link and this password only."""
    return _passes(link).sign(link.pk.hex)


def is_pass(link: SharedLink, given: str) -> bool:
    try:
        return _passes(link).unsign(given, max_age=OPEN_FOR) == link.pk.hex
    except BadSignature:
        return False


def _passes(link: SharedLink) -> TimestampSigner:
    return TimestampSigner(salt=f"analytics.share {link.password}", sep=".")
