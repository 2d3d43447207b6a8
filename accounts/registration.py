"""Accounts, users and websites come into being here and change here, whoever asks: API, back office or shell.

Every verb raises ValueError with a sentence for what it refuses.
"""

from collections.abc import Collection

from django.db import IntegrityError, transaction
from psycopg.errors import UniqueViolation

from accounts import changes, content_groups, domains, exclusion, keys
from accounts.models import Account, User, Website

LONGEST_NAME = 255
LONGEST_EMAIL = 254


def register_account(name: str) -> Account:
    """Names need not be unique (contract 2.5)."""
    name = name.strip()
    if not 0 < len(name) <= LONGEST_NAME:
        raise ValueError(f"name must have 1 to {LONGEST_NAME} characters.")
    return Account.objects.create(name=name)


def register_user(account: Account, *, role: str, email: str | None = None) -> tuple[User, str]:
    """A new user and their API key. The e-mail is a label: neither unique nor checked (contract 2.6)."""
    if role not in User.Role.values:
        raise ValueError("role must be admin or user.")
    if email is not None and len(email) > LONGEST_EMAIL:
        raise ValueError(f"email must have at most {LONGEST_EMAIL} characters.")
    user = User(account=account, role=role, email=email)
    user.set_unusable_password()
    return user, keys.issue(user)


def register_website(
    account: Account,
    *,
    domain: object,
    groups: object = None,
    excluded: object = None,
    mode: object = None,
    signals: object = None,
) -> Website:
    """A new website of the account, whose domain must be new to it."""
    if domain is None:
        raise ValueError("domain is required, for example example.com.")
    website = Website(account=account)
    return change_website(website, domain=domain, groups=groups, excluded=excluded, mode=mode, signals=signals)


def change_website(
    website: Website,
    *,
    domain: object = None,
    groups: object = None,
    excluded: object = None,
    mode: object = None,
    signals: object = None,
) -> Website:
    """Set what is not None, each list as a whole, and save exactly that: others may be changing the rest."""
    given: dict[str, object] = {}
    if domain is not None:
        given["domain"] = domains.check(domain)
    if groups is not None:
        given["content_groups"] = content_groups.check(groups)
    if excluded is not None:
        given["excluded_ips"] = exclusion.check(excluded)
    if mode is not None:
        given["mode"] = one_of("mode", mode, Website.Mode.values)
    if signals is not None:
        given["privacy_signals"] = one_of("privacy_signals", signals, Website.PrivacySignals.values)
    for field, value in given.items():
        setattr(website, field, value)
    save_website(website, given)
    return website


def one_of(name: str, value: object, allowed: Collection[str]) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}.")
    return value


def save_website(website: Website, fields: Collection[str]) -> None:
    """Insert, or update these fields. The database decides whether the domain is new to the account: two may ask."""
    is_new = website._state.adding
    try:
        with transaction.atomic():
            website.save(update_fields=None if is_new else list(fields))
            changes.announce()
    except IntegrityError as error:
        if isinstance(error.__cause__, UniqueViolation):
            raise ValueError(f"The account has a website {website.domain} already.") from None
        raise
