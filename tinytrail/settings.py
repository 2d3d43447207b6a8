"""Every setting of TinyTrail, read from the environment once, in this one file.

A wrong value stops the start with one sentence that names the variable and shows a right value. Nothing of Django's is
imported but the exception for that: the supervisor and beat read this file, too, and stay small.
"""

import ipaddress
import os
import socket
import sys
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from tinytrail import embedded

VERSION = "0.1.0"
BASE_DIR = Path(__file__).resolve().parent.parent


# -- reading the environment ------------------------------------------------------------------------------------------


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def number(name: str, default: int, *, least: int = 0, most: int = 2**31) -> int:
    value = text(name, str(default))
    if not value.isascii() or not value.isdigit() or len(value) > 10 or not least <= int(value) <= most:
        span = f"from {least} to {most}" if most < 2**31 else f"of at least {least}"
        raise ImproperlyConfigured(f"{name} must be a whole number {span}, for example {name}={default}.")
    return int(value)


def switch(name: str) -> bool:
    value = text(name, "0").lower()
    if value not in ("0", "1", "true", "false"):
        raise ImproperlyConfigured(f"{name} must be 1 or 0, for example {name}=1.")
    return value in ("1", "true")


def choice(name: str, *values: str) -> str:
    """One of the values; the first, if nothing is said."""
    value = text(name, values[0])
    if value not in values:
        raise ImproperlyConfigured(f"{name} must be {' or '.join(values)}, for example {name}={values[-1]}.")
    return value


def words(name: str, default: str = "") -> list[str]:
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def limit(name: str, default: str) -> tuple[int, int] | None:
    """A limit `count/seconds` as a pair, or None for `off`."""
    variable = f"TINYTRAIL_LIMIT_{name}"
    value = text(variable, default)
    if value == "off":
        return None
    count, slash, seconds = value.partition("/")
    if not (slash and count.isascii() and count.isdigit() and seconds.isascii() and seconds.isdigit() and int(seconds)):
        raise ImproperlyConfigured(
            f"{variable} must be count/seconds or off, for example {variable}={default}: not {value!r}."
        )
    return int(count), int(seconds)


def networks(name: str, default: str = "") -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    try:
        return [ipaddress.ip_network(word) for word in words(name, default)]
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name} must be a comma separated list of networks, for example {name}=10.0.0.0/8,::1/128: {error}."
        ) from None


def address(url: str) -> SplitResult:
    """The parts of a URL; no parts at all when it is none, so that its reader says what is missing."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return urlsplit("")
    return parts


def database(url: str) -> dict[str, Any]:
    parts = address(url)
    if parts.scheme not in ("postgres", "postgresql") or not parts.path.strip("/"):
        raise ImproperlyConfigured(
            "DATABASE_URL must name a PostgreSQL database, for example "
            "DATABASE_URL=postgresql://tinytrail:secret@db.example.com:5432/tinytrail."
        )
    options = dict(parse_qsl(parts.query))
    return {
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", "") or unquote(parts.hostname or ""),
        "PORT": options.pop("port", "") or str(parts.port or ""),
        "OPTIONS": options,
    }


def redis_url(url: str) -> str:
    if address(url).scheme not in ("redis", "rediss", "unix"):
        raise ImproperlyConfigured(
            "REDIS_URL must name a Redis server, for example REDIS_URL=redis://redis.example.com:6379/0."
        )
    return url


# -- where things are -------------------------------------------------------------------------------------------------

DEBUG = switch("TINYTRAIL_DEBUG")
DATA = Path(text("TINYTRAIL_DATA", str(BASE_DIR / ".data"))).resolve()
HOST = text("HOST", "127.0.0.1")
PORT = number("PORT", 8000, least=1, most=65535)
WEB_WORKERS = number("TINYTRAIL_WEB_WORKERS", 1, least=1, most=256)
EMBEDDED_DATABASE = not text("DATABASE_URL")
EMBEDDED_REDIS = not text("REDIS_URL")
EMBEDDED_ENGINES = ["postgres"] * EMBEDDED_DATABASE + ["redis"] * EMBEDDED_REDIS


def secret(name: str) -> str:
    """A secret of the installation: from the environment, else generated once into the data folder."""
    value = text(f"TINYTRAIL_{name}")
    if value:
        if len(value) < 32:
            raise ImproperlyConfigured(
                f"TINYTRAIL_{name} must have at least 32 characters, for example from `openssl rand -hex 32`."
            )
        return value
    if not EMBEDDED_DATABASE:
        raise ImproperlyConfigured(
            f"TINYTRAIL_{name} must be set when DATABASE_URL is set, for example from `openssl rand -hex 32`."
        )
    return embedded.generated_secret(DATA, name.lower())


SECRET_KEY = secret("SECRET_KEY")
# Of PostgreSQL roles that can change no table (tinytrail.roles): `prepare` makes those that have a password here.
ROLE_PASSWORDS = {
    "web": text("TINYTRAIL_WEB_ROLE_PASSWORD"),
    "worker": text("TINYTRAIL_WORKER_ROLE_PASSWORD"),
    "reporting": text("TINYTRAIL_REPORTING_ROLE_PASSWORD"),
}
# Older keys stay readable after a rotation: TINYTRAIL_KEK=new,old encrypts with the first and decrypts with any.
KEKS = words("TINYTRAIL_KEK", secret("KEK"))
if any(len(key) < 32 for key in KEKS):
    raise ImproperlyConfigured(
        "TINYTRAIL_KEK must be one key of at least 32 characters, or several with commas between them, the new one "
        "first, for example from `openssl rand -hex 32`."
    )
PEPPER = secret("PEPPER")

LOOPBACK = "localhost,127.0.0.1,[::1]"


def usual_hosts() -> str:
    """What it is asked for as long as nobody names more: its public name, and loopback."""
    name = address(text("TINYTRAIL_PUBLIC_URL")).hostname or ""
    return f"{f'[{name}]' if ':' in name else name},{LOOPBACK}"


ALLOWED_HOSTS = words("TINYTRAIL_ALLOWED_HOSTS", usual_hosts())
if "*" in ALLOWED_HOSTS and not DEBUG:
    raise ImproperlyConfigured(
        "TINYTRAIL_ALLOWED_HOSTS must name this server's own host names, for example "
        "TINYTRAIL_ALLOWED_HOSTS=stats.example.com: * is refused outside debug."
    )
TRUSTED_PROXIES = networks("TINYTRAIL_TRUSTED_PROXIES")
# Who may read /metrics: callers from these networks, without a proxy between, and whoever brings the token.
METRICS_NETWORKS = networks("TINYTRAIL_METRICS_NETWORKS", "127.0.0.0/8,::1/128")
METRICS_TOKEN = text("TINYTRAIL_METRICS_TOKEN")
if METRICS_TOKEN and len(METRICS_TOKEN) < 16:
    raise ImproperlyConfigured(
        "TINYTRAIL_METRICS_TOKEN must have at least 16 characters, for example from `openssl rand -hex 16`."
    )


def own_host() -> str:
    """The host name that this server gives out for itself."""
    return ALLOWED_HOSTS[0].lstrip(".") if ALLOWED_HOSTS else "localhost"


def public_url() -> str:
    """Where mails and feeds say this server is: never what a request's Host header says."""
    value = text("TINYTRAIL_PUBLIC_URL")
    if not value:
        if TRUSTED_PROXIES:
            return f"https://{own_host()}"
        is_own = HOST in ("127.0.0.1", "::1", "localhost") and own_host() == "localhost"
        host = HOST if is_own else own_host()
        return f"http://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{PORT}"
    parts = address(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ImproperlyConfigured(
            "TINYTRAIL_PUBLIC_URL must be this server's own address without a path, for example "
            "TINYTRAIL_PUBLIC_URL=https://stats.example.com."
        )
    return f"{parts.scheme}://{parts.netloc}"


# Without a slash at its end.
PUBLIC_URL = public_url()


def geoip(path: str) -> str:
    """A file of places; what is in it is looked at by tinytrail.checks."""
    if path and not Path(path).is_file():
        raise ImproperlyConfigured(
            f"TINYTRAIL_GEOIP must be the path of an MMDB file, for example "
            f"TINYTRAIL_GEOIP=/var/lib/GeoIP/GeoLite2-City.mmdb: there is no file {path}."
        )
    return path


GEOIP = geoip(text("TINYTRAIL_GEOIP"))
RETENTION_DAYS = number("TINYTRAIL_RETENTION_DAYS", 400, least=2, most=760)  # 25 months
# How long backups are kept: an older one is not restored, since nobody remembers what was erased since.
BACKUP_DAYS = number("TINYTRAIL_BACKUP_DAYS", 90, least=1, most=760)
# People whom a product has told of, from when they were last seen.
PROFILE_RETENTION_DAYS = number("TINYTRAIL_PROFILE_RETENTION_DAYS", RETENTION_DAYS, least=2, most=760)

LIMITS = {
    "COLLECT": limit("COLLECT", "10/10"),
    "API_KEY": limit("API_KEY", "60/60"),
    "TRACK_IP": limit("TRACK_IP", "240/60"),
    "TRACK_SESSION": limit("TRACK_SESSION", "200/60"),
    "DISCOVERY_IP": limit("DISCOVERY_IP", "180/60"),
    "DISCOVERY_SESSION": limit("DISCOVERY_SESSION", "150/60"),
    "SUBMISSION_IP": limit("SUBMISSION_IP", "20/600"),
    "SUBMISSION_EMAIL": limit("SUBMISSION_EMAIL", "5/3600"),
    "SUBMISSION_FINGERPRINT": limit("SUBMISSION_FINGERPRINT", "1/86400"),
    "OPENPANEL": limit("OPENPANEL", "1000/10"),
    "OPENPANEL_EXPORT": limit("OPENPANEL_EXPORT", "100/10"),
    "LOGIN": limit("LOGIN", "10/900"),
}

# -- Django -----------------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    # Unfold's look; the site is our own (accounts.door).
    "unfold.apps.BasicAppConfig",
    "tinytrail.backoffice.BackOfficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "tinytrail",
    "accounts",
    "submissions",
    "analytics",
]
MIDDLEWARE = [
    "tinytrail.web.headers.security_headers",
    "tinytrail.web.headers.own_host",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "tinytrail.web.cookieless.CookielessMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "tinytrail.web.outage.OutageMiddleware",
]
ROOT_URLCONF = "tinytrail.urls"
WSGI_APPLICATION = "tinytrail.wsgi.application"
# A redirect would turn the POST of some clients into a GET: both spellings of every route are served instead.
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
CSRF_FAILURE_VIEW = "tinytrail.web.errors.csrf_failure"
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / ".static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        # One connection a thread, kept: opening one costs more than a request.
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        **(embedded.database(DATA) if EMBEDDED_DATABASE else database(text("DATABASE_URL"))),
    }
}
# A server that does not answer must not hold a request, nor one that is cut off: the system alone would wait for a
# quarter of an hour. And of a host that is cut off the server soon lets go what it has locked.
DATABASES["default"]["OPTIONS"] = {
    "connect_timeout": "2",
    "tcp_user_timeout": "5000",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "options": "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
    " -c idle_in_transaction_session_timeout=60000",
    **DATABASES["default"].get("OPTIONS", {}),
}
REDIS_URL = embedded.redis_url(DATA) if EMBEDDED_REDIS else redis_url(text("REDIS_URL"))
CACHES = {
    "default": {
        "BACKEND": "tinytrail.web.cache.SharedCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "tinytrail",
        "OPTIONS": {"socket_connect_timeout": 0.1, "socket_timeout": 0.1},
    }
}
# Limits fall back to letting requests pass when Redis is away (contract 2.1), and the cache counts atomically.
RATELIMIT_FAIL_OPEN = True
SESSION_ENGINE = "django.contrib.sessions.backends.db"
# A session ends so long after its last use, and so long after the sign-in (accounts.sessions).
SESSION_COOKIE_AGE = number("TINYTRAIL_SESSION_IDLE_MINUTES", 720, least=5, most=43_200) * 60
SESSION_DAYS = number("TINYTRAIL_SESSION_DAYS", 7, least=1, most=90)
# Nobody gets into the back office without a second factor.
REQUIRE_TOTP = switch("TINYTRAIL_REQUIRE_TOTP")
# What an authenticator app shows above the code.
OTP_TOTP_ISSUER = "TinyTrail" if own_host() == "localhost" else f"TinyTrail {own_host()}"

SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
# Loopback is served without TLS, and a cookie marked Secure would then never come back in some browsers. So is a proxy
# whose address the operator gives without it.
BEHIND_TLS = bool(TRUSTED_PROXIES) and PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS
SESSION_COOKIE_NAME = "__Host-session" if BEHIND_TLS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if BEHIND_TLS else "csrf"
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 31_536_000 if BEHIND_TLS else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS if BEHIND_TLS and not host.startswith("*")]
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024

# Defaults stay closed: every dialect states its own policies on its base view. Naming a class here that imports
# rest_framework.views would be circular.
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    # `format` is a parameter of our own reports, and no suffix of a path is DRF's.
    "URL_FORMAT_OVERRIDE": None,
    "FORMAT_SUFFIX_KWARG": None,
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "TinyTrail",
    # The schemas of bodies come from msgspec, which speaks the JSON Schema of 3.1.
    "OAS_VERSION": "3.1.0",
    # Of the contracts. Which version of this server it is, /health alone says (A85).
    "VERSION": "1",
    "DESCRIPTION": (
        "Every route of every dialect that this server speaks. Each is served with and without a slash at its end, and"
        " none redirects to the other spelling. Free-form objects take any JSON without NUL characters, integers beyond"
        " 2^53 and more than 32 levels. *Authorize* takes what calls are tried with, and keeps it in this page only."
    ),
    "SERVE_INCLUDE_SCHEMA": False,
    "PREPROCESSING_HOOKS": ["tinytrail.web.routes.one_spelling"],
    "POSTPROCESSING_HOOKS": [
        "tinytrail.web.openapi.with_plain_views",
        "tinytrail.web.openapi.accept_empty",
        "tinytrail.web.openapi.with_named_schemas",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "filter": True},
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}
UNFOLD = {
    "SITE_TITLE": "TinyTrail",
    "SITE_HEADER": "TinyTrail",
    "SITE_SYMBOL": "footprint",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "tinytrail.backoffice.favicon"}],
    "SIDEBAR": {"navigation": "tinytrail.backoffice.navigation"},
}

# -- Celery -----------------------------------------------------------------------------------------------------------

# Celery has spellings of its own for a Unix socket and for the number of a database behind it.
CELERY_BROKER_URL = (
    REDIS_URL.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=")
    if REDIS_URL.startswith("unix://")
    else REDIS_URL
)
CELERY_TASK_IGNORE_RESULT = True
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Redis hands a task out again when nobody has acknowledged it by then: longer than any task takes, or a long one would
# run beside itself. What a killed worker leaves undone does not wait for it: beat asks for everything again (beat.py).
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 12 * 3600,
    # A Redis that is gone without a word is noticed within half a minute; a worker would else wait for it for ever.
    "socket_keepalive": True,
    "socket_keepalive_options": {
        getattr(socket, name): value
        for name, value in {
            "TCP_KEEPIDLE": 15,
            "TCP_KEEPINTVL": 5,
            "TCP_KEEPCNT": 3,
            "TCP_USER_TIMEOUT": 30_000,
        }.items()
        # Not every system knows them all.
        if hasattr(socket, name)
    },
}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TIMEZONE = "UTC"

# -- mail and logs ----------------------------------------------------------------------------------------------------


def mail(url: str) -> dict[str, Any]:
    """EMAIL_URL: `console`, or smtp://user:password@host:port (STARTTLS), or smtps:// (TLS)."""
    if url == "console":
        return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    parts = address(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ImproperlyConfigured(
            "EMAIL_URL must be console or an SMTP server, for example EMAIL_URL=smtp://user:password@mail.example.com:587."
        )
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or (465 if parts.scheme == "smtps" else 587),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": parts.scheme == "smtp" and bool(parts.username),
        "EMAIL_TIMEOUT": 10,
    }


globals().update(mail(text("EMAIL_URL", "console")))


def sender(value: str) -> str:
    """An address, with or without a name before it."""
    mailbox = value[value.index("<") + 1 : -1] if "<" in value and value.endswith(">") else value
    local, _, domain = mailbox.rpartition("@")
    if not local or not domain or not value.isprintable() or " " in mailbox:
        raise ImproperlyConfigured(
            "TINYTRAIL_MAIL_FROM must be an e-mail address, for example "
            "TINYTRAIL_MAIL_FROM=TinyTrail <noreply@example.com>."
        )
    return value


DEFAULT_FROM_EMAIL = sender(text("TINYTRAIL_MAIL_FROM", f"noreply@{own_host()}"))

# One line for people, or one JSON object a line for programs.
LOG = choice("TINYTRAIL_LOG", "plain", "json")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": f"tinytrail.web.logs.{LOG.capitalize()}"}},
    "filters": {"without_secret_paths": {"()": "tinytrail.web.logs.WithoutSecretPaths"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "stream": sys.stderr,
            "filters": ["without_secret_paths"],
        }
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        # Its own handlers would mail errors, with whatever the request held.
        "django": {"handlers": [], "level": "INFO"},
        # It logs paths with their queries; a refused request is counted, not logged.
        "django.request": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        # What goes well is no news.
        "celery": {"level": "WARNING"},
        "kombu": {"level": "WARNING"},
        # Granian would write its lines itself, and one for each request if it were told to.
        "_granian": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "granian.access": {"handlers": [], "level": "CRITICAL", "propagate": False},
    },
}
