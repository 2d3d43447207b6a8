"""What commands of every app ask of accounts, with the sentences they end with when it is not there."""

from uuid import UUID

from django.core.management.base import CommandError

from accounts.models import Website


def live_website(public_id: str) -> Website:
    """The website of an id given on the command line. Raises CommandError."""
    try:
        website = Website.objects.live().filter(public_id=UUID(public_id)).first()
    except ValueError:
        raise CommandError(
            "--website must be a website's id, for example 550e8400-e29b-41d4-a716-446655440000."
        ) from None
    if website is None:
        raise CommandError(f"There is no website {public_id}.")
    return website
