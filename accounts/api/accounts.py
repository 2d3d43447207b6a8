"""Accounts over API v1, for admins (contract 2.5)."""

from typing import Annotated

import msgspec
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.dialect import InvalidPayload, NotFound, V1View, path_uuid, success, timestamp
from accounts.api.documentation import Moment, Uuid, answers, documented
from accounts.models import Account
from accounts.registration import LONGEST_NAME, register_account
from accounts.removal import remove_account

# The verb checks it: its sentences say more than a type could.
Name = Annotated[
    str, msgspec.Meta(extra_json_schema={"minLength": 1, "maxLength": LONGEST_NAME, "pattern": r"[^\s\u0000]"})
]


class NewAccount(msgspec.Struct):
    name: Name


class AccountObject(msgspec.Struct, rename="camel"):
    id: Uuid
    name: str
    created_at: Moment


def shown(account: Account) -> dict[str, object]:
    data: dict[str, object] = msgspec.to_builtins(
        AccountObject(str(account.id), account.name, timestamp(account.created_at))
    )
    return data


class AccountsView(V1View):
    admin_only = True

    @documented("list_accounts", "List all accounts", answers(200, list[AccountObject]), is_for_admins=True)
    def get(self, request: Request) -> Response:
        return success([shown(account) for account in Account.objects.live()])

    @documented(
        "create_account",
        "Create an account",
        answers(201, AccountObject),
        body=NewAccount,
        is_for_admins=True,
        examples={"An account": {"name": "Acme Corp"}},
    )
    def post(self, request: Request) -> Response:
        wanted = self.read(NewAccount)
        try:
            account = register_account(wanted.name)
        except ValueError as error:
            raise InvalidPayload(str(error)) from None
        return success(shown(account), 201)


class AccountView(V1View):
    admin_only = True

    @documented(
        "delete_account",
        "Delete an account with all its data",
        answers(200, AccountObject),
        description="Its users, websites, events and reports go with it. Keys of its users end at once.",
        is_for_admins=True,
        names_one=True,
    )
    def delete(self, request: Request, id: str) -> Response:
        account = Account.objects.live().filter(pk=path_uuid(id)).first()
        if account is None:
            raise NotFound
        remove_account(account, by=self.caller, now=timezone.now())
        return success(shown(account))
