"""Who may ask: accounts, their users, their websites, and a log of what was done with secrets."""

import base64
import uuid
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import cached_property
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import vault


class AccountQuerySet(models.QuerySet["Account"]):
    def live(self) -> "AccountQuerySet":
        """Accounts that were not deleted. A deleted one stays as a tombstone until its rows are purged."""
        return self.filter(deleted_at=None)


class Account(models.Model):
    """One customer: owns users and websites."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=255)
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects = AccountQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["created_at", "id"]

    def __str__(self) -> str:
        return self.name


class UserQuerySet(models.QuerySet["User"]):
    def live(self) -> "UserQuerySet":
        """Users whose account was not deleted."""
        return self.filter(account__deleted_at=None, is_active=True)

    def visible_to(self, user: "User") -> "UserQuerySet":
        return self.live() if user.is_admin else self.live().filter(account=user.account_id)


class UserManager(BaseUserManager.from_queryset(UserQuerySet)["User"]):  # type: ignore[misc]
    def get_by_natural_key(self, username: str | None) -> "User":
        user: User = self.live().get(login=username)
        return user


# What everybody with a login may do in the back office, to their own account and its websites only: the same as with
# an API key of that role (contract 2.7). Everything else comes from groups.
OWN_RIGHTS = frozenset(
    {
        "accounts.view_account",
        "accounts.view_website",
        "accounts.add_website",
        "accounts.change_website",
        "accounts.delete_website",
        "accounts.view_widgettoken",
        "accounts.add_widgettoken",
        "accounts.change_widgettoken",
        "accounts.delete_widgettoken",
        "accounts.view_openpanelclient",
        "accounts.add_openpanelclient",
        "accounts.change_openpanelclient",
        "accounts.delete_openpanelclient",
        "analytics.view_profile",
        "analytics.delete_profile",
        "analytics.view_group",
    }
)


class User(AbstractBaseUser, PermissionsMixin):
    """A person or a program with an API key; with a login also a user of the back office."""

    class Role(models.TextChoices):
        ADMIN = "admin"
        USER = "user"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, models.CASCADE, related_name="users")
    # A label, not used for login: no uniqueness, no format (contract 2.6).
    email = models.CharField(max_length=254, null=True, blank=True)  # noqa: DJ001 (absent is null in the contract)
    role = models.CharField(max_length=8, choices=Role.choices)
    # How keys are kept is known to accounts.keys alone.
    key_hash = models.BinaryField(max_length=32, unique=True, null=True, editable=False)
    key_cipher = models.BinaryField(null=True, editable=False)
    # Null for those who never sign in to the back office.
    login = models.CharField(max_length=254, unique=True, null=True, blank=True)  # noqa: DJ001 (unique where given)
    password = models.CharField(max_length=128, blank=True, editable=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "login"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()

    class Meta:
        ordering: ClassVar = ["created_at", "id"]
        constraints: ClassVar = [
            models.CheckConstraint(name="user_role_known", condition=Q(role__in=["admin", "user"])),
        ]

    def __str__(self) -> str:
        return self.login or self.email or str(self.id)

    @property
    def is_admin(self) -> bool:
        return self.role == self.Role.ADMIN

    # The role says it: a column beside it could disagree.
    @property
    def is_superuser(self) -> bool:  # type: ignore[override]
        return self.is_admin

    @property
    def is_staff(self) -> bool:
        return self.is_active and self.login is not None

    @cached_property
    def has_second_factor(self) -> bool:
        """Whether signing in asks for a code: looked up once a request."""
        return Authenticator.objects.filter(user=self, confirmed=True).exists()

    def has_perm(self, perm: str, obj: models.Model | None = None) -> bool:
        return (self.is_staff and perm in OWN_RIGHTS) or super().has_perm(perm, obj)

    def has_module_perms(self, app_label: str) -> bool:
        return (self.is_staff and app_label == "accounts") or super().has_module_perms(app_label)


class BoundedWait:
    """Whoever guesses codes waits twice as long each time, up to 68 minutes: who has somebody's password must not be
    able to lock them out for days, and three of a million codes an hour are no way in.
    """

    MOST_DOUBLED = 13
    throttling_failure_count: int

    def throttle_increment(self, commit: bool = True) -> None:
        super().throttle_increment(commit=False)  # type: ignore[misc] # django-otp's
        self.throttling_failure_count = min(self.throttling_failure_count, self.MOST_DOUBLED)
        if commit:
            self.save()  # type: ignore[attr-defined] # the model's


class Authenticator(BoundedWait, TOTPDevice):  # type: ignore[misc] # django-otp has no types
    """An app that shows six digits: the second factor of a user, once it is confirmed.

    Where django-otp keeps the secret in clear, in `key`, stands its ciphertext, which opens for this user alone.
    """

    objects: ClassVar[models.Manager["Authenticator"]]

    class Meta:
        proxy = True
        default_permissions: ClassVar = ()

    @staticmethod
    def sealed(secret: bytes, user: User) -> str:
        return base64.b64encode(vault.seal(secret, bound_to=Authenticator._binding(user.id))).decode()

    @property
    def bin_key(self) -> bytes:
        """The secret, under the name by which django-otp asks for it. Raises vault.Unreadable."""
        return vault.unseal(base64.b64decode(self.key), bound_to=self.binding)

    @property
    def binding(self) -> bytes:
        """What the secret's ciphertext is bound to."""
        return self._binding(self.user_id)

    @staticmethod
    def _binding(user_id: uuid.UUID) -> bytes:
        return b"authenticator|" + user_id.bytes


class RecoveryCodes(BoundedWait, StaticDevice):  # type: ignore[misc] # django-otp has no types
    """The codes on paper, each for one sign-in without the app. They are stored as digests, and cannot be shown."""

    objects: ClassVar[models.Manager["RecoveryCodes"]]

    class Meta:
        proxy = True
        default_permissions: ClassVar = ()

    def verify_token(self, token: str) -> bool:
        return bool(super().verify_token(self.stored(token)))

    def stored(self, code: str) -> str:
        """As many characters of the digest as django-otp has room for: 96 bits."""
        return base64.urlsafe_b64encode(vault.digest(f"recovery code|{self.user_id}|{code}"))[:16].decode()


class WebsiteQuerySet(models.QuerySet["Website"]):
    def live(self) -> "WebsiteQuerySet":
        """Websites that were not deleted, themselves or with their account."""
        return self.filter(deleted_at=None, account__deleted_at=None)

    def visible_to(self, user: User) -> "WebsiteQuerySet":
        return self.live() if user.is_admin else self.live().filter(account=user.account_id)


class Website(models.Model):
    """One tracked site. The integer key leads every fact's key; the world knows the public id only."""

    class Mode(models.TextChoices):
        """How much is kept of each visit. `exempt` is no more than audience measurement without consent allows, as the
        French authority reads the law (docs/privacy.md).
        """

        STANDARD = "standard", "Standard"
        EXEMPT = "exempt", "Exempt: audience measurement only"

    class PrivacySignals(models.TextChoices):
        """What becomes of a visit whose browser says `Sec-GPC: 1` or `DNT: 1`."""

        COUNT = "count", "Count: what is stored names nobody"
        DROP = "drop", "Drop: store nothing of the visit"

    id = models.AutoField(primary_key=True)
    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, models.CASCADE, related_name="websites")
    domain = models.CharField(max_length=255)
    # [{"name": ..., "pattern": ...}], the first match wins (contract D-4).
    content_groups = models.JSONField(default=list, blank=True)
    # Addresses, networks in CIDR notation, and ranges a-b.
    excluded_ips = models.JSONField(default=list, blank=True)
    mode = models.CharField(max_length=8, choices=Mode.choices, default=Mode.STANDARD, db_default=Mode.STANDARD)
    privacy_signals = models.CharField(
        max_length=5,
        choices=PrivacySignals.choices,
        default=PrivacySignals.COUNT,
        db_default=PrivacySignals.COUNT,
    )
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects = WebsiteQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["created_at", "id"]
        constraints: ClassVar = [
            # Two concurrent creations of one domain give one website (contract 2.7).
            models.UniqueConstraint("account", "domain", name="website_domain_once", condition=Q(deleted_at=None)),
        ]

    def __str__(self) -> str:
        return self.domain


class ClientQuerySet(models.QuerySet["Client"]):
    def live(self) -> "ClientQuerySet":
        """Clients that were not revoked, of websites that were not deleted."""
        return self.filter(revoked_at=None, website__deleted_at=None, website__account__deleted_at=None)

    def visible_to(self, user: User) -> "ClientQuerySet":
        websites = Website.objects.visible_to(user)
        return self.filter(website__in=websites)


class Client(models.Model):
    """A program that sends to one website: an OpenPanel client with a secret, or a widget's public token."""

    class Kind(models.TextChoices):
        OPENPANEL = "openpanel"
        WIDGET = "widget"

    class Right(models.TextChoices):
        """What an OpenPanel client may do; a widget's token only ever writes."""

        WRITE = "write"
        READ = "read"
        ROOT = "root"

    # The public clientId of an OpenPanel client.
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    website = models.ForeignKey(Website, models.CASCADE, related_name="clients")
    kind = models.CharField(max_length=9, choices=Kind.choices)
    right = models.CharField(max_length=5, choices=Right.choices, default=Right.WRITE)
    name = models.CharField(max_length=120, blank=True)
    # Of an OpenPanel client: HMAC of its secret, which is shown once (accounts.keys).
    secret_hash = models.BinaryField(max_length=32, null=True, editable=False)
    # Of a widget client: public, so kept as it is.
    token = models.CharField(max_length=64, unique=True, null=True, editable=False)  # noqa: DJ001 (unique where given)
    # Origins that may send without a secret, for example https://app.example.com or https://*.example.com.
    origins = models.JSONField(default=list, blank=True)
    # Hosts besides the website's own that a shop link may lead to (contract D-9).
    redirect_hosts = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, editable=False)

    objects = ClientQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["created_at", "id"]

    def __str__(self) -> str:
        return self.name or f"{self.kind} of {self.website}"


class WidgetToken(Client):
    """A widget's client, for its pages in the back office."""

    class Meta:
        proxy = True

    def __str__(self) -> str:
        return self.name or f"{(self.token or '')[:8]}…"


class OpenPanelClient(Client):
    """An OpenPanel client, for its pages in the back office."""

    class Meta:
        proxy = True

    def __str__(self) -> str:
        return self.name or str(self.id)


class AuditEntry(models.Model):
    """What was done with a secret or a right, by whom, when. Holds ids, never an address, e-mail or key."""

    at = models.DateTimeField(auto_now_add=True)
    actor = models.UUIDField(null=True)
    action = models.CharField(max_length=40)
    subject = models.CharField(max_length=80)

    class Meta:
        ordering: ClassVar = ["-at", "-id"]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"


class Erasure(models.Model):
    """What was erased, so that a restored backup forgets it again. Holds ids and HMACs (accounts.erasures)."""

    class Kind(models.TextChoices):
        ACCOUNT = "account"
        WEBSITE = "website"
        USER = "user"
        # `<public id of the website>|<mark of the profile's id>`
        PROFILE = "profile"
        # `<id of the account, or *>|<mark of the address>`
        HOST = "host"
        # What opens nothing any more must not open anything again.
        API_KEY = "api_key"
        CLIENT = "client"
        CLIENT_SECRET = "client_secret"
        SHARED_LINK = "shared_link"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    at = models.DateTimeField(default=timezone.now)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    subject = models.CharField(max_length=120)

    class Meta:
        indexes: ClassVar = [
            # Forgetting what is older than any backup.
            models.Index(fields=["at"], name="erasure_at"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"
