"""Users and their keys over API v1, for admins (contract 2.6)."""

from typing import Annotated

import msgspec
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit, keys
from accounts.api.dialect import InvalidPayload, NotFound, V1View, path_uuid, success, timestamp
from accounts.api.documentation import Moment, Uuid, answers, documented
from accounts.models import Account, User
from accounts.registration import LONGEST_EMAIL, register_user
from accounts.removal import remove_user

Role = Annotated[str, msgspec.Meta(extra_json_schema={"enum": User.Role.values})]


Label = Annotated[str | None, msgspec.Meta(extra_json_schema={"type": ["string", "null"], "maxLength": LONGEST_EMAIL})]


class NewUser(msgspec.Struct):
    account_id: Uuid
    role: Role
    email: Label = None


class UserObject(msgspec.Struct, rename="camel"):
    id: Uuid
    account_id: Uuid
    email: str | None
    role: Role
    created_at: Moment


class NewUserObject(UserObject, kw_only=True):
    api_key: str


class KeyObject(msgspec.Struct, rename="camel"):
    id: Uuid
    api_key: str


def shown(user: User) -> dict[str, object]:
    data: dict[str, object] = msgspec.to_builtins(
        UserObject(str(user.id), str(user.account_id), user.email, user.role, timestamp(user.created_at))
    )
    return data


def secretly(answer: Response) -> Response:
    """A key is kept by nobody on the way."""
    answer["Cache-Control"] = "no-store"
    return answer


class UsersView(V1View):
    admin_only = True

    @documented("list_users", "List all users", answers(200, list[UserObject]), is_for_admins=True)
    def get(self, request: Request) -> Response:
        return success([shown(user) for user in User.objects.live()])

    @documented(
        "create_user",
        "Create a user and their API key",
        answers(201, NewUserObject),
        body=NewUser,
        description="The e-mail address is a label: it is neither checked nor written to.",
        is_for_admins=True,
        examples={
            "Somebody who reads": {
                "account_id": "550e8400-e29b-41d4-a716-446655440000",
                "role": "user",
                "email": "user@example.com",
            }
        },
    )
    def post(self, request: Request) -> Response:
        wanted = self.read(NewUser)
        account = Account.objects.live().filter(pk=path_uuid(wanted.account_id, "account_id")).first()
        if account is None:
            raise InvalidPayload("account_id must be the id of an account.")
        try:
            user, key = register_user(account, role=wanted.role, email=wanted.email)
        except ValueError as error:
            raise InvalidPayload(str(error)) from None
        audit.record("api_key.issue", user.id, by=self.caller)
        # In the order of contract 2.6.
        made = shown(user)
        created_at = made.pop("createdAt")
        return secretly(success({**made, "apiKey": key, "createdAt": created_at}, 201))


class UserView(V1View):
    admin_only = True

    @documented(
        "delete_user",
        "Delete a user; the key stops working at once",
        answers(200, UserObject),
        is_for_admins=True,
        names_one=True,
    )
    def delete(self, request: Request, id: str) -> Response:
        user = find_user(id)
        remove_user(user, by=self.caller)
        return success(shown(user))


class UserKeyView(V1View):
    admin_only = True

    @documented(
        "show_api_key",
        "Show a user's API key; each call is audited",
        answers(200, KeyObject),
        is_for_admins=True,
        names_one=True,
    )
    def get(self, request: Request, id: str) -> Response:
        user = find_user(id)
        return secretly(success({"id": str(user.id), "apiKey": keys.reveal(user, by=self.caller)}))


def find_user(id: str) -> User:
    user: User | None = User.objects.live().filter(pk=path_uuid(id)).first()
    if user is None:
        raise NotFound
    return user
