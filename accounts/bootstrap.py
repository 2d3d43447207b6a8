"""The first start of an installation: somebody who may sign in, and a website to try it with."""

from dataclasses import dataclass

from django.db import connection, transaction

from accounts import registration
from accounts.models import User, Website

LOGIN = "owner"


@dataclass(frozen=True)
class Owner:
    """Who owns the installation. `api_key` is there only when they were created just now."""

    user: User
    website: Website | None
    is_new: bool
    api_key: str | None


@transaction.atomic
def first_start() -> Owner:
    """The owner: an admin with a login. Created, with an account and a website `localhost`, while there is none.

    The website is the oldest of the owner's account; None when all have been deleted since.
    """
    with connection.cursor() as cursor:
        # Two processes may start at once.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('accounts.bootstrap'))")
    admins = User.objects.live().filter(role=User.Role.ADMIN, login__isnull=False)
    owner = admins.filter(login=LOGIN).first() or admins.first()
    if owner is None:
        return _create()
    return Owner(owner, Website.objects.live().filter(account=owner.account_id).first(), is_new=False, api_key=None)


def _create() -> Owner:
    account = registration.register_account("My account")
    owner, api_key = registration.register_user(account, role=User.Role.ADMIN)
    owner.login = LOGIN
    owner.save()
    website = registration.register_website(account, domain="localhost")
    return Owner(owner, website, is_new=True, api_key=api_key)
