"""Websites over API v1 (contract 2.7). Users see and change their own account's, admins all."""

from typing import Annotated, Any

import msgspec
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import content_groups, domains, exclusion
from accounts.api.dialect import InvalidPayload, NotFound, V1View, path_uuid, success, timestamp
from accounts.api.documentation import Moment, Uuid, answers, documented, inlined, opened
from accounts.models import Account, User, Website
from accounts.registration import change_website, register_website
from accounts.removal import remove_website
from tinytrail.web.openapi import LINE, record

LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
DOMAIN = {
    "type": "string",
    "maxLength": domains.LONGEST,
    "pattern": rf"^{LABEL}(?:\.{LABEL})*$",
    "examples": ["example.com"],
}
GROUP_FIELDS = {
    "name": {"type": "string", "maxLength": content_groups.LONGEST_NAME, "pattern": LINE, "examples": ["Blog"]},
    "pattern": {
        **{"type": "string", "maxLength": content_groups.LONGEST_PATTERN, "pattern": LINE, "examples": ["/blog/*"]},
        "description": "A whole path, in which `*` is any run of characters.",
    },
}
GROUP = record("ContentGroup", **GROUP_FIELDS)
NEW_GROUP = GROUP | {"title": "NewContentGroup", "additionalProperties": True}
ADDRESS = {
    "type": "string",
    "description": "An address, a network such as 10.0.0.0/8, or a range such as 10.0.0.1-10.0.0.9.",
    "examples": ["192.168.1.0/24"],
}


def or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return schema | {"type": [schema["type"], "null"]}


GROUPS = {"type": "array", "items": GROUP, "maxItems": content_groups.MOST_PATTERNS}
ADDRESSES = {"type": "array", "items": ADDRESS, "maxItems": exclusion.MOST_ENTRIES}
# Checked by accounts.registration, whose sentences say more than a type could; null is absent.
Domain = Annotated[Any, msgspec.Meta(extra_json_schema=DOMAIN)]
Groups = Annotated[Any, msgspec.Meta(extra_json_schema=GROUPS)]
NEW_GROUPS = GROUPS | {"items": NEW_GROUP}
Addresses = Annotated[Any, msgspec.Meta(extra_json_schema=ADDRESSES)]
OptionalDomain = Annotated[Any, msgspec.Meta(extra_json_schema=or_null(DOMAIN))]
OptionalGroups = Annotated[Any, msgspec.Meta(extra_json_schema=or_null(NEW_GROUPS))]
OptionalAddresses = Annotated[Any, msgspec.Meta(extra_json_schema=or_null(ADDRESSES))]
OptionalId = Annotated[Any, msgspec.Meta(extra_json_schema={"type": ["string", "null"], "format": "uuid"})]


class NewWebsite(msgspec.Struct):
    domain: Domain
    content_groups: OptionalGroups = None
    excluded_ips: OptionalAddresses = None
    account_id: OptionalId = None


class WebsiteChange(msgspec.Struct):
    """At least one of the fields."""

    domain: OptionalDomain = None
    content_groups: OptionalGroups = None
    excluded_ips: OptionalAddresses = None


class WebsiteObject(msgspec.Struct, rename="camel"):
    id: Uuid
    account_id: Uuid
    domain: str
    content_groups: Groups
    excluded_ips: Addresses
    created_at: Moment


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
    @documented(
        "list_websites",
        "List the websites of the account, of all accounts for an admin",
        answers(200, list[WebsiteObject]),
    )
    def get(self, request: Request) -> Response:
        return success([shown(website) for website in Website.objects.visible_to(self.caller)])

    @documented(
        "create_website",
        "Create a website",
        answers(201, WebsiteObject),
        body=NewWebsite,
        description="For the caller's own account; an admin may name another. Its domain must be new to the account.",
        examples={
            "A website": {
                "domain": "example.com",
                "content_groups": [{"name": "Blog", "pattern": "/blog/*"}],
                "excluded_ips": ["192.168.1.0/24"],
            }
        },
    )
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
    @documented(
        "change_website",
        "Change a website; lists are replaced whole",
        answers(200, WebsiteObject),
        body=opened(inlined(WebsiteChange)) | {"minProperties": 1},
        names_one=True,
        examples={"Another domain": {"domain": "new.example.com"}},
    )
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

    @documented(
        "delete_website", "Delete a website with its events and reports", answers(200, WebsiteObject), names_one=True
    )
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
