"""Forms of the back office. What they accept is decided by the same functions as over the API."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils import timezone
from unfold.forms import AdminOwnPasswordChangeForm
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from accounts import audit, clients, content_groups, domains, exclusion, limits, origins
from accounts.models import Account, OpenPanelClient, User, Website, WidgetToken


class Lines(forms.Field):
    """A list edited as one line an item."""

    def __init__(
        self,
        *,
        read: Callable[[str], object],
        write: Callable[[Any], str],
        check: Callable[[object], list[Any]],
        **options: Any,  # noqa: ANN401 (the field's own)
    ) -> None:
        super().__init__(required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 5}), **options)
        self.read, self.write, self.check = read, write, check

    def prepare_value(self, value: object) -> object:
        return "\n".join(map(self.write, value)) if isinstance(value, list) else value

    def to_python(self, value: object) -> list[Any]:
        lines = [(number, line.strip()) for number, line in enumerate(str(value or "").splitlines(), 1)]
        items: list[object] = []
        for number, line in lines:
            if line:
                with self._refusals(f"Line {number}: "):
                    items += self.check([self.read(line)])
        with self._refusals(""):
            return self.check(items)

    @contextmanager
    def _refusals(self, place: str) -> Iterator[None]:
        """Sentences of the API, which name the place in a list, for people who look at lines."""
        try:
            yield
        except ValueError as error:
            sentence = re.sub(r"^\w+\[0\]\.?", "", str(error)).strip() if place else str(error)
            raise ValidationError(place + sentence) from None

    def has_changed(self, initial: object, data: object) -> bool:
        # Untouched text leaves the list as it is, also one that lines cannot say.
        return str(self.prepare_value(initial) or "").split() != str(data or "").split()


def read_group(line: str) -> dict[str, str]:
    name, colon, pattern = line.rpartition(": ")
    if not colon:
        raise ValueError(f"Each line needs a name, a colon and a path, for example Blog: /blog/*, not {line[:80]}")
    return {"name": name.strip(), "pattern": pattern.strip()}


def write_group(group: dict[str, str]) -> str:
    return f"{group['name']}: {group['pattern']}"


class AccountForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable at run time
    class Meta:
        model = Account
        fields: ClassVar = ["name"]


# Of a website's form: where nothing is chosen, nothing changes.
CHOICES = ("mode", "privacy_signals")


class WebsiteForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable at run time
    # Whose website it will be when the form does not ask.
    owner: Account | None = None

    content_groups = Lines(
        read=read_group,
        write=write_group,
        check=content_groups.check,
        help_text="One a line: a name, a colon and the paths that belong to it. * stands for anything, "
        "the first line that fits wins. Example: Blog: /blog/*",
    )
    excluded_ips = Lines(
        read=str,
        write=str,
        check=exclusion.check,
        label="Excluded addresses",
        help_text="Visits from here are never counted. One a line: an address, a network such as 203.0.113.0/24, "
        "or a range such as 203.0.113.7-203.0.113.20.",
    )

    class Meta:
        model = Website
        fields: ClassVar = ["account", "domain", "content_groups", "excluded_ips", "mode", "privacy_signals"]
        labels: ClassVar = {"mode": "How much is kept", "privacy_signals": "Do Not Track and Global Privacy Control"}
        help_texts: ClassVar = {
            "mode": "Exempt keeps no campaign, channel, custom property, session or profile, and withholds filtered "
            "numbers of fewer than five visitors; funnels and filters by source end. It holds for what arrives from "
            "now on: what was stored before stays as it was, so choose it before the first visit, or "
            "begin with a new website. See docs/privacy.md.",
            "privacy_signals": "Some browsers ask with every call not to be tracked (Sec-GPC: 1, DNT: 1).",
        }

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 (the form's own)
        super().__init__(*args, **options)
        if self.owner is not None and self.instance.account_id is None:
            self.instance.account = self.owner
        for name in CHOICES:
            self.fields[name].required = False

    def clean_domain(self) -> str:
        try:
            return domains.check(self.cleaned_data["domain"])
        except ValueError as error:
            raise ValidationError(str(error)) from None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        # What was not asked stays as it is.
        cleaned |= {name: cleaned.get(name) or getattr(self.instance, name) for name in CHOICES}
        account = cleaned.get("account") or self.instance.account
        others = Website.objects.filter(account=account, domain=cleaned.get("domain"), deleted_at=None)
        if others.exclude(pk=self.instance.pk).exists():
            self.add_error("domain", "The account has a website with this domain already.")
        return cleaned

    def _get_validation_exclusions(self) -> set[str]:
        # The constraint would say the same again, above the form. Of two who ask at once the database tells one.
        return {*super()._get_validation_exclusions(), "account"}  # type: ignore[misc] # Django's own, not in its stubs


class UserForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable at run time
    new_password = forms.CharField(
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="For signing in with the login. Leave empty to change nothing.",
    )
    remove_password = forms.BooleanField(
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Then only a sign-in link lets this user in.",
    )

    class Meta:
        model = User
        fields: ClassVar = ["account", "email", "role", "login", "groups"]
        help_texts: ClassVar = {
            "email": "A label, to know whose key it is. Not used for signing in.",
            "login": "Lets this user in to the back office. Empty for programs, which have their key.",
            "groups": "Rights in the back office beyond the role's.",
        }

    def clean_new_password(self) -> str:
        password: str = self.cleaned_data["new_password"]
        if password:
            validate_password(password, self.instance)
        return password

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("new_password") and not cleaned.get("login"):
            self.add_error("login", "A password needs a login.")
        return cleaned

    def apply_password(self) -> None:
        """Set what was asked for on the instance; its sessions end with the old password."""
        if self.cleaned_data.get("remove_password") or not self.instance.login:
            self.instance.set_unusable_password()
        elif self.cleaned_data.get("new_password"):
            self.instance.set_password(self.cleaned_data["new_password"])
        elif not self.instance.password:
            self.instance.set_unusable_password()


class WidgetTokenForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable at run time
    redirect_hosts = Lines(
        read=str,
        write=str,
        check=clients.checked_hosts,
        help_text="Where links to products may lead besides the website's own domain and its subdomains. One host a "
        "line, for example shop.example.com. Anything else is refused.",
    )

    class Meta:
        model = WidgetToken
        fields: ClassVar = ["website", "name", "redirect_hosts"]
        help_texts: ClassVar = {"name": "To tell it from others, for example the page it stands in."}

    def clean_name(self) -> str:
        try:
            return clients.checked_name(self.cleaned_data["name"])
        except ValueError as error:
            raise ValidationError(str(error)) from None


class OpenPanelClientForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable at run time
    origins = Lines(
        read=str,
        write=str,
        check=origins.check,
        help_text="Pages that may send without the secret, as a browser must. One origin a line, for example "
        "https://app.example.com, all under a domain as https://*.example.com, or * for any.",
    )

    class Meta:
        model = OpenPanelClient
        fields: ClassVar = ["website", "name", "right", "origins"]
        help_texts: ClassVar = {
            "name": "To tell it from others, for example the program it stands in.",
            "right": "Write sends, read exports, root does both.",
        }

    def clean_name(self) -> str:
        try:
            return clients.checked_name(self.cleaned_data["name"])
        except ValueError as error:
            raise ValidationError(str(error)) from None


class CodeForm(forms.Form):
    """A code of the app, or a recovery code."""

    code = forms.CharField(
        label="Code",
        max_length=40,
        widget=UnfoldAdminTextInputWidget(
            attrs={"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )


class OwnPasswordForm(AdminOwnPasswordChangeForm):  # type: ignore[misc] # unfold has no types
    """Changing one's own password. Guesses of the old one are limited as at the door, and it is audited."""

    def clean_old_password(self) -> str:
        key = f"own password {self.user.pk}"
        with limits.one_at_a_time("LOGIN", [key]):
            if wait := limits.seconds_locked("LOGIN", key):
                raise ValidationError(limits.locked(wait, now=timezone.now()), code="locked")
            try:
                old: str = super().clean_old_password()
            except ValidationError:
                limits.retry_after("LOGIN", key)
                raise
        return old

    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit)
        audit.record("password.change", user.id, by=user)
        return user
