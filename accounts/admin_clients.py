"""The back office of clients: what programs send with. Everybody manages those of their own account's websites.

Removing a client ends it: the row stays, because what it has sent is known by it.
"""

from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import action

from accounts import clients
from accounts.admin import Refused, ScopedAdmin, current_user
from accounts.forms import OpenPanelClientForm, WidgetTokenForm
from accounts.models import Client, OpenPanelClient, User, Website, WidgetToken

# What stands in the examples for what only the page knows.
INSTANCE, VISITOR, MEDIUM, ORDER = "YOUR-WIDGET", "VISITOR", "1", "ORDER-NUMBER"


class ClientAdmin(ScopedAdmin):
    """What clients of any kind have in common."""

    kind: ClassVar[Client.Kind]
    list_display: ClassVar[tuple[str, ...]] = ("__str__", "website", "created_at")
    search_fields = ("name", "token", "website__domain")
    readonly_fields: ClassVar[tuple[str, ...]] = ("created_at",)
    readonly_on_change = ("website",)
    ordering: ClassVar = ["website__domain", "created_at", "id"]

    def visible(self, user: User) -> QuerySet[Any]:
        live: QuerySet[Any] = self.model.objects.live().visible_to(user)
        return live.filter(kind=self.kind).select_related("website")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:  # noqa: ANN401
        if db_field.name == "website":
            websites = Website.objects.visible_to(current_user(request)).order_by("domain", "id")
            asked = request.GET.get("website", "")
            known = [website.id for website in websites[:2]]
            # With one website there is nothing to choose.
            initial = asked if asked.isdigit() else known[0] if len(known) == 1 else None
            kwargs |= {"queryset": websites, "initial": initial}
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def remove(self, row: Client, *, by: User) -> None:
        clients.revoke(row, by=by, now=timezone.now())

    def consequence(self, row: Client) -> str:
        return "nothing is taken from it any more, at once. What it has sent stays."

    def save_model(self, request: HttpRequest, obj: Client, form: Any, change: bool) -> None:  # noqa: ANN401
        """Saved in save_form, whose answer is what the page then speaks of."""

    def delete_model(self, request: HttpRequest, obj: Any) -> None:  # noqa: ANN401
        super().delete_model(request, obj)
        self.message_user(request, "It is revoked: nothing is taken from it any more.", messages.SUCCESS)


@admin.register(WidgetToken)
class WidgetTokenAdmin(ClientAdmin):
    """Tokens of widgets, with lines that are ready to be pasted."""

    kind = Client.Kind.WIDGET
    form = WidgetTokenForm
    list_display = ("__str__", "website", "beginning", "leads_to", "created_at")
    search_help_text = "Name, token or website"

    def get_fieldsets(
        self, request: HttpRequest, obj: WidgetToken | None = None
    ) -> list[tuple[str | None, dict[str, Any]]]:
        return [(None, {"fields": ("website", "name", "redirect_hosts", *(("created_at",) if obj else ()))})]

    def save_form(self, request: HttpRequest, form: WidgetTokenForm, change: bool) -> Client:
        token: Client = super().save_form(request, form, change)
        given, by = form.cleaned_data, current_user(request)
        try:
            if change:
                return clients.change_widget_client(
                    token, name=given["name"], redirect_hosts=given["redirect_hosts"], by=by
                )
            made = clients.create_widget_client(
                token.website, name=given["name"], redirect_hosts=given["redirect_hosts"], by=by
            )
        except ValueError as error:
            raise Refused(str(error)) from None
        return WidgetToken.objects.get(pk=made.pk)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: WidgetToken | None = None,
    ) -> HttpResponse:
        if obj is not None:
            context["examples"] = examples(obj, request.build_absolute_uri("/").rstrip("/"))
        answer: HttpResponse = super().render_change_form(request, context, add, change, form_url, obj)
        return answer

    def response_add(
        self, request: HttpRequest, obj: WidgetToken, post_url_continue: str | None = None
    ) -> HttpResponse:
        """To the page with the lines to copy, which is what comes next."""
        self.message_user(request, "The token is ready. The lines below show how it is used.", messages.SUCCESS)
        return redirect(reverse("admin:accounts_widgettoken_change", args=[obj.pk]))

    @admin.display(description="token", ordering="token")
    def beginning(self, token: WidgetToken) -> str:
        return f"{(token.token or '')[:8]}…"

    @admin.display(description="shop links lead to")
    def leads_to(self, token: WidgetToken) -> str:
        return ", ".join([token.website.domain, *token.redirect_hosts])


def examples(token: Client, host: str) -> list[tuple[str, str]]:
    """What is counted, and a line for a page that does it with this token."""
    pixel, anchor = '<img src="{}" width="1" height="1" alt="">', '<a href="{}">Shop this product</a>'
    widget = f"{host}/track/widget/{INSTANCE}/best"
    shop = f"https://{token.website.domain}/"

    def address(path: str, **query: str) -> str:
        return f"{path}?{urlencode({'auth_token': token.token, 'analytics_id': VISITOR, **query})}"

    shown = address(f"{widget}/render.gif", pics="8")
    link = address(f"{widget}/media/{MEDIUM}/shop", pics="8", redirect_url=shop)
    bought = address(
        f"{host}/track/transaction/{ORDER}/checkout.gif", **{"products[]": "PRODUCT:120.50", "currency_code": "EUR"}
    )
    return [
        ("A widget was shown", format_html(pixel, shown)),
        ("A link to the product", format_html(anchor, link)),
        ("A purchase, on the page that confirms it", format_html(pixel, bought)),
    ]


@admin.register(OpenPanelClient)
class OpenPanelClientAdmin(ClientAdmin):
    """Programs with a secret, which is shown in the message after it was made and in no page again."""

    kind = Client.Kind.OPENPANEL
    form = OpenPanelClientForm
    list_display = ("__str__", "website", "right", "sends_from", "created_at")
    list_filter = ("right",)
    search_fields = ("name", "id", "website__domain")
    search_help_text = "Name, id or website"
    readonly_fields = ("id", "created_at")
    actions_detail: ClassVar = ["new_secret"]

    def get_fieldsets(
        self, request: HttpRequest, obj: OpenPanelClient | None = None
    ) -> list[tuple[str | None, dict[str, Any]]]:
        known = ("id", "created_at") if obj else ()
        return [(None, {"fields": ("website", "name", *known, "right", "origins")})]

    def save_form(self, request: HttpRequest, form: OpenPanelClientForm, change: bool) -> OpenPanelClient:
        client: OpenPanelClient = super().save_form(request, form, change)
        given: dict[str, Any] = {name: form.cleaned_data[name] for name in ("name", "right", "origins")}
        by = current_user(request)
        try:
            if change:
                clients.change_openpanel_client(client, **given, by=by)
                return client
            made, secret = clients.create_openpanel_client(client.website, **given, by=by)
        except ValueError as error:
            raise Refused(str(error)) from None
        self.show_secret(request, made, secret)
        return OpenPanelClient.objects.get(pk=made.pk)

    def show_secret(self, request: HttpRequest, client: Client, secret: str) -> None:
        told = format_html(
            "The client's id is <code style='user-select:all;overflow-wrap:anywhere'>{}</code>, its secret "
            "<code style='user-select:all;overflow-wrap:anywhere'>{}</code> – copy it now, it is not shown again.",
            client.id,
            secret,
        )
        self.message_user(request, told, messages.WARNING, extra_tags="safe")

    @action(description="Issue a new secret", url_path="new-secret", permissions=["change"])
    def new_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Asks first: a link must change nothing, and the old secret stops at once."""
        client = get_object_or_404(self.get_queryset(request), pk=self.valid_id(object_id))
        if request.method == "POST":
            self.show_secret(request, client, clients.renew_secret(client, by=current_user(request)))
            return redirect("admin:accounts_openpanelclient_change", client.pk)
        context = {**self.admin_site.each_context(request), "title": "Issue a new secret", "opts": self.opts}
        return TemplateResponse(request, "admin/accounts/client/new_secret.html", {**context, "original": client})

    def valid_id(self, object_id: str) -> object:
        try:
            return self.opts.pk.to_python(object_id)
        except Exception:
            raise Http404 from None

    @admin.display(description="sends without the secret from")
    def sends_from(self, client: OpenPanelClient) -> str:
        return ", ".join(client.origins) or "nowhere"
