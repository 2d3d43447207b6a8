"""The page on which a website's shared links are made and revoked."""

from datetime import UTC, date
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts import origins
from accounts.models import Website
from analytics.dashboard import links
from analytics.dashboard.place import Place
from analytics.models import SharedLink
from submissions.models import CatalogEvent

MOST_HOSTS = 20
MOST_EVENTS = 500
SHORTEST_PASSWORD = 8


class SharedLinkForm(forms.Form):
    name = forms.CharField(
        label="For whom", max_length=120, help_text="Only you see it: so that you revoke the right one."
    )
    event = forms.ChoiceField(
        label="What it shows",
        required=False,
        help_text="The numbers of one event are for its host: nothing else of the website is shown.",
    )
    password = forms.CharField(
        label="Password",
        required=False,
        max_length=128,
        min_length=SHORTEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Leave it empty, and the link alone opens the page.",
    )
    last_day = forms.DateField(
        label="Last day",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="It opens up to the end of this day, UTC. Leave it empty for no end.",
    )
    hosts = forms.CharField(
        label="Pages that may embed it",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "https://www.example.com"}),
        help_text="One origin a line. Leave it empty, and no page may.",
    )

    def __init__(self, *given: object, events: list[CatalogEvent], today: date, **options: object) -> None:
        super().__init__(*given, **options)  # type: ignore[arg-type]
        self.today = today
        self.events = {event.key: event for event in events}
        choices = [("", "The whole dashboard"), *((event.key, f"{event.name}, {event.date}") for event in events)]
        self.fields["event"].choices = choices  # type: ignore[attr-defined] # of a ChoiceField
        if not events:
            del self.fields["event"]

    def clean_last_day(self) -> date | None:
        day: date | None = self.cleaned_data["last_day"]
        if day and not self.today <= day < date.max:
            raise ValidationError("The last day must not be over.")
        return day

    def clean_hosts(self) -> list[str]:
        lines = [line.strip() for line in self.cleaned_data["hosts"].splitlines() if line.strip()]
        if len(lines) > MOST_HOSTS:
            raise ValidationError(f"At most {MOST_HOSTS} origins.")
        try:
            found = [origins.checked(line, line[:80]) for line in lines]
        except ValueError as error:
            raise ValidationError(str(error)) from None
        if origins.ANY in found:
            raise ValidationError("Name the origins: * would let every page embed it.")
        return found

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or {}
        if cleaned.get("hosts") and cleaned.get("password"):
            # Browsers send no cookie of ours into a frame of another site.
            raise ValidationError("A page that is embedded cannot ask for a password: choose one of the two.")
        return cleaned


@require_http_methods(["GET", "HEAD", "POST"])
def shared(request: HttpRequest, place: Place) -> HttpResponse:
    """The links of a website, and the form for another."""
    assert place.user is not None
    today = timezone.now().astimezone(UTC).date()
    form = SharedLinkForm(request.POST or None, events=events_of(place.website), today=today)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        link = links.share(
            place.website,
            name=given["name"],
            password=given["password"],
            hosts=given["hosts"],
            last_day=given["last_day"],
            event=form.events.get(given.get("event", "")),
            by=place.user,
        )
        messages.success(request, f"The link for {link.name} is ready.")
        return redirect("dashboard_links", place.website.public_id)
    live = place.website.shared_links.live(timezone.now()).select_related("event")
    made = [(link, address(request, link)) for link in live]
    status = 400 if form.errors else 200
    return render(request, "dashboard/links.html", {"place": place, "form": form, "links": made}, status=status)


@require_POST
def revoked(request: HttpRequest, place: Place, link: UUID) -> HttpResponse:
    assert place.user is not None
    found = SharedLink.objects.filter(website=place.website, pk=link).first()
    if found is None:
        raise Http404
    links.revoke(found, by=place.user, now=timezone.now())
    messages.success(request, f"The link for {found.name} opens nothing any more.")
    return redirect("dashboard_links", place.website.public_id)


def events_of(website: Website) -> list[CatalogEvent]:
    """The events that a link may be of: the latest ones."""
    found = CatalogEvent.objects.filter(calendar__website=website)
    return list(found.order_by(F("starts_on").desc(nulls_first=True), "-id")[:MOST_EVENTS])


def address(request: HttpRequest, link: SharedLink) -> str:
    return request.build_absolute_uri(reverse("share", args=[links.token_of(link)]))
