"""Websites over API v1 (contract 2.7). Users see and change their own account's, admins all."""

from typing import Annotated, Any

import msgspec
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.dialect import InvalidPayload, NotFound, V1View, path_uuid, success, timestamp
from accounts.api.documentation import answers, documented
from accounts.models import Account, User, Website
from accounts.registration import change_website, register_website
from accounts.removal import remove_website

GROUP = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "pattern": {"type": "string"}},
    "required": ["name", "pattern"],
}
# Checked by accounts.content_groups and accounts.exclusion, whose sentences say more than a type could.
Groups = Annotated[Any, msgspec.Meta(extra_json_schema={"type": "array", "items": GROUP, "maxItems": 50})]
Addresses = Annotated[Any, msgspec.Meta(extra_json_schema={"type": "array", "items": {"type": "string"}})]
Domain = Annotated[Any, msgspec.Meta(extra_json_schema={"type": "string", "maxLength": 255})]


class NewWebsite(msgspec.Struct):
    domain: Domain
    content_groups: Groups = None
    excluded_ips: Addresses = None
    account_id: Any = None


class WebsiteChange(msgspec.Struct):
    domain: Domain = None
    content_groups: Groups = None
    excluded_ips: Addresses = None


class WebsiteObject(msgspec.Struct, rename="camel"):
    id: str
    account_id: str
    domain: str
    content_groups: Groups
    excluded_ips: Addresses
    created_at: str


def shown(website: Website) -> dict[str, object]:
    data: dict[str, object] = msgspec.to_builtins(
        WebsiteObject(
            id=str(website.public_id),
            account_id=str(website.account_id),
            domain=website.domain,
            content_groups=website.content_groups,
            excluded_ips=website.excluded_ips,
            created_at=timestamp(website.created_at),
        )
    )
    return data


class WebsitesView(V1View):
    @documented("List the websites of the account, of all accounts for an admin", answers(200, list[WebsiteObject]))
    def get(self, request: Request) -> Response:
        return success([shown(website) for website in Website.objects.visible_to(self.caller)])

    @documented("Create a website", answers(201, WebsiteObject), body=NewWebsite)
    def post(self, request: Request) -> Response:
        wanted = self.read(NewWebsite)
        account = owner(wanted.account_id, self.caller)
        try:
            website = register_website(
                account, domain=wanted.domain, groups=wanted.content_groups, excluded=wanted.excluded_ips
            )
        except ValueError as error:
            raise InvalidPayload(str(error)) from None
        return success(shown(website), 201)


class WebsiteView(V1View):
    @documented("Change a website; lists are replaced whole", answers(200, WebsiteObject), body=WebsiteChange)
    def patch(self, request: Request, id: str) -> Response:
        website = find_website(id, self.caller)
        wanted = self.read(WebsiteChange)
        if wanted == WebsiteChange():
            raise InvalidPayload("At least one of domain, content_groups and excluded_ips is required.")
        try:
            change_website(website, domain=wanted.domain, groups=wanted.content_groups, excluded=wanted.excluded_ips)
        except ValueError as error:
            raise InvalidPayload(str(error)) from None
        return success(shown(website))

    @documented("Delete a website with its events and reports", answers(200, WebsiteObject))
    def delete(self, request: Request, id: str) -> Response:
        website = find_website(id, self.caller)
        remove_website(website, by=self.caller, now=timezone.now())
        return success(shown(website))


def owner(account_id: object, caller: User) -> Account:
    """The account that a new website is for: an admin may name one, a user always means their own."""
    if account_id is None or not caller.is_admin:
        return caller.account
    if not isinstance(account_id, str):
        raise InvalidPayload("account_id must be a UUID.")
    account = Account.objects.live().filter(pk=path_uuid(account_id, "account_id")).first()
    if account is None:
        raise InvalidPayload("account_id must be the id of an account.")
    return account


def find_website(id: str, caller: User) -> Website:
    website = Website.objects.visible_to(caller).filter(public_id=path_uuid(id)).first()
    if website is None:
        raise NotFound
    return website
