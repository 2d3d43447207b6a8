from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandError

from accounts.clients import create_openpanel_client, create_widget_client
from accounts.commands import live_website
from accounts.models import Client, Website
from tinytrail.command import TinyCommand


def widget(website: Website, options: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if options["origin"]:
        raise ValueError("--origin belongs to --kind openpanel; a widget's token is taken from anywhere.")
    if options["right"]:
        raise ValueError("--right belongs to --kind openpanel; a widget's token only ever writes.")
    client = create_widget_client(website, name=options["name"], redirect_hosts=options["redirect_host"])
    return (
        f"Created a widget's token of {website.domain}. It is public, and only ever writes: {client.token}",
        {"authToken": client.token},
    )


def openpanel(website: Website, options: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if options["redirect_host"]:
        raise ValueError("--redirect-host belongs to --kind widget; an OpenPanel client redirects nobody.")
    client, secret = create_openpanel_client(
        website, name=options["name"], right=options["right"] or Client.Right.WRITE, origins=options["origin"]
    )
    return (
        f"Created the OpenPanel client {client.id} of {website.domain}. Its secret is not shown again: {secret}",
        {"clientId": str(client.id), "clientSecret": secret},
    )


# What each kind of client is made by: the sentence and the JSON object.
KINDS: dict[str, Callable[[Website, dict[str, Any]], tuple[str, dict[str, Any]]]] = {
    Client.Kind.OPENPANEL.value: openpanel,
    Client.Kind.WIDGET.value: widget,
}


class Command(TinyCommand):
    help = "Creates a client of a website: what a program sends with."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--website", required=True, metavar="ID")
        parser.add_argument("--kind", required=True, choices=KINDS)
        parser.add_argument("--name", default="", help="to tell it from others in the back office")
        parser.add_argument(
            "--origin",
            action="append",
            default=[],
            metavar="ORIGIN",
            help="openpanel: may send without the secret, for example https://app.example.com; may be repeated",
        )
        parser.add_argument(
            "--right", choices=Client.Right.values, help="openpanel: write (the default), read, or root for both"
        )
        parser.add_argument(
            "--redirect-host",
            action="append",
            default=[],
            metavar="HOST",
            help="widget: a shop link may lead there, too, for example shop.example.com; may be repeated",
        )

    def run(self, **options: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401
        website = live_website(options["website"])
        try:
            return KINDS[options["kind"]](website, options)
        except ValueError as error:
            raise CommandError(str(error)) from None
