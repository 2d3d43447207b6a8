"""What the front is measured against: the least that each way of answering a POST costs."""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

# -- a raw ASGI answer ------------------------------------------------------------------------------------------------

Message = MutableMapping[str, Any]


async def raw(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Reads the body and answers."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 202, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": b'{"status":"accepted"}'})


# -- two Django views, in an application of their own -----------------------------------------------------------------

# What `django-admin startproject` writes into a new project's settings.
STARTPROJECT = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
APPS = [f"django.contrib.{name}" for name in ("auth", "contenttypes", "sessions", "messages")]


def django_application(middleware: list[str]) -> Any:  # noqa: ANN401 (a WSGI application)
    """An application with a view that does nothing, and one with a serializer that stores a row."""
    from django.conf import settings

    from tinytrail import settings as ours

    settings.configure(
        SECRET_KEY="bench" * 10,
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF="tinytrail.bench.rival_views",
        MIDDLEWARE=middleware,
        INSTALLED_APPS=[*APPS, "rest_framework"] if middleware else ["rest_framework"],
        DATABASES=ours.DATABASES,
        USE_TZ=True,
        REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": [], "UNAUTHENTICATED_USER": None},
    )
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()


# One kind of it in a process; none where only the raw answer is wanted.
if kind := os.environ.get("TINYTRAIL_BENCH_RIVAL"):
    django = django_application(STARTPROJECT if kind == "startproject" else [])
