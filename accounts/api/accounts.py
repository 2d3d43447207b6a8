"""Accounts over API v1, for admins (contract 2.5)."""

import msgspec
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.dialect import InvalidPayload, NotFound, V1View, path_uuid, success, timestamp
from accounts.api.documentation import answers, documented
from accounts.models import Account
from accounts.registration import register_account
from accounts.removal import remove_account


class NewAccount(msgspec.Struct):
    name: str


class AccountObject(msgspec.Struct, rename="camel"):
    id: str
    name: str
    created_at: str


def shown(account: Account) -> dict[str, object]:
    data: dict[str, object] = msgspec.to_builtins(
        AccountObject(str(account.id), account.name, timestamp(account.created_at))
    )
    return data


class AccountsView(V1View):
    admin_only = True

    @documented("List all accounts", answers(200, list[AccountObject]))
    def get(self, request: Request) -> Response:
        return success([shown(account) for account in Account.objects.live()])

    @documented("Create an account", answers(201, AccountObject), body=NewAccount)
    def post(self, request: Request) -> Response:
        wanted = self.read(NewAccount)
        try:
            account = register_account(wanted.name)
        except ValueError as error:
            raise InvalidPayload(str(error)) from None
        return success(shown(account), 201)


class AccountView(V1View):
    admin_only = True

    @documented("Delete an account with all its data", answers(200, AccountObject))
    def delete(self, request: Request, id: str) -> Response:
        account = Account.objects.live().filter(pk=path_uuid(id)).first()
        if account is None:
            raise NotFound
        remove_account(account, by=self.caller, now=timezone.now())
        return success(shown(account))
