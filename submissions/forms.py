"""The form in which a host proposes an event. What it takes is decided by submissions.proposal alone."""

import re
from datetime import datetime
from typing import Any

from django import forms
from django.core.signing import BadSignature, Signer
from django.http import QueryDict

from submissions.proposal import FIELDS, OUTSIDE, Invalid, Proposal

_signer = Signer(salt="submissions.form", sep="|")
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
SPAN = re.compile(rf"({DAY.pattern}) to ({DAY.pattern})", re.ASCII)
CLOCK = re.compile(r"\d\d:\d\d", re.ASCII)
EVENT = (
    "event_name",
    "date",
    "last_day",
    "start_time",
    "end_time",
    "location",
    "proof_link",
    "host_email",
)
SETTINGS = ("", "Indoor", "Outdoor", "Indoor/Outdoor")


def text(label: str, help_text: str = "", **attributes: str) -> forms.CharField:
    # Nothing is stripped or checked here, so that a host gets back what they typed.
    return forms.CharField(
        label=label, help_text=help_text, required=False, strip=False, widget=forms.TextInput(attrs=attributes)
    )


class ProposalForm(forms.Form):
    """Valid when it holds a `proposal`. An error stands beside its field."""

    event_name = text("Name of the event", autocomplete="off")
    date = text("Date")
    last_day = text("Last day", "If it lasts several.")
    start_time = text("Starts at")
    end_time = text("Ends at")
    location = text("Where", "The venue and its address.", autocomplete="off")
    proof_link = text(
        "A link that proves it",
        "The event's own page, the venue's announcement or the ticket shop.",
        inputmode="url",
        autocomplete="off",
        spellcheck="false",
    )
    host_email = text(
        "Your e-mail address",
        "For the answer and for questions. It is not published.",
        autocomplete="email",
        inputmode="email",
        spellcheck="false",
    )
    arrondissement = text("District", "For example 11th, or Le Marais.", autocomplete="off")
    genre = text("Genre", "For example Jazz.", autocomplete="off")
    price = text("Price", "For example 15 €, or free.", autocomplete="off")
    age = text("Age", "For example 18+, or families.", autocomplete="off")
    indoor_outdoor = forms.CharField(label="Indoor or outdoor", required=False, strip=False, widget=forms.Select)
    notes = forms.CharField(
        label="Notes",
        help_text="Whatever readers should know. It is published with the event.",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 5}),
    )

    def __init__(self, data: QueryDict | None = None, *, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial, auto_id="%s", use_required_attribute=False)
        self.proposal: Proposal | None = None
        # A browser shows nothing in a date or time field that it cannot read.
        self.offer("date", DAY, "date")
        self.offer("last_day", DAY, "date")
        self.offer("start_time", CLOCK, "time")
        self.offer("end_time", CLOCK, "time")
        chosen = self.typed("indoor_outdoor")
        choices = SETTINGS if chosen in SETTINGS else (*SETTINGS, chosen)
        self.fields["indoor_outdoor"].widget.choices = [(choice, choice or "Not said") for choice in choices]
        for name, field in self.fields.items():
            if is_required(name):
                field.widget.attrs["aria-required"] = "true"

    @classmethod
    def of(cls, proposal: Proposal) -> "ProposalForm":
        """A form that holds what was proposed, for changing it. The address stays as it is."""
        initial = {name: getattr(proposal, name) for name in FIELDS}
        if days := SPAN.fullmatch(proposal.date):
            initial |= {"date": days[1], "last_day": days[2]}
        return cls(initial=initial).without_address()

    def without_address(self) -> "ProposalForm":
        del self.fields[OUTSIDE]
        return self

    def offer(self, name: str, shape: "re.Pattern[str]", kind: str) -> None:
        typed = self.typed(name)
        if not typed or shape.fullmatch(typed):
            self.fields[name].widget.input_type = kind

    def typed(self, name: str) -> str:
        return str(self.data.get(name, "") if self.is_bound else self.initial.get(name, ""))

    def clean(self) -> None:
        given: dict[str, str] = {field.name: self.cleaned_data.get(name, "") for name, field in FIELDS.items()}
        first, last = given["date"].strip(), self.cleaned_data.get("last_day", "").strip()
        if last and last != first:
            given["date"] = f"{first} to {last}" if first else ""
            if DAY.fullmatch(first) and DAY.fullmatch(last) and last < first:
                self.add_error("last_day", "Must not be before the date.")
        try:
            self.proposal = Proposal.read(given, without_address=OUTSIDE not in self.fields)
        except Invalid as error:
            for name, field in FIELDS.items():
                if field.name in error.issues:
                    self.add_error(name, error.issues[field.name])

    @property
    def event(self) -> list[tuple[forms.BoundField, bool]]:
        """The fields of the first part, each with whether it may stay empty."""
        return [(field, not is_required(field.name)) for field in self if field.name in EVENT]

    @property
    def more(self) -> list[tuple[forms.BoundField, bool]]:
        return [(field, not is_required(field.name)) for field in self if field.name not in EVENT]


def is_required(name: str) -> bool:
    return name in FIELDS and FIELDS[name].least > 0


def started(now: datetime) -> str:
    """When the form was opened, signed: it cannot be set to another time."""
    return _signer.sign(now.isoformat())


def started_at(token: str) -> str:
    """When it was, as the contract's formStartedAt; empty for one that is missing or forged, which is unknown."""
    try:
        return _signer.unsign(token)
    except BadSignature:
        return ""
