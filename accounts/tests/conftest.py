import uuid

import pytest
from django.conf import LazySettings


@pytest.fixture(autouse=True)
def own_counters(settings: LazySettings) -> None:
    """Counters are named under the pepper: with one of its own no test spends another's limits, in any process."""
    settings.PEPPER = uuid.uuid4().hex


@pytest.fixture(autouse=True)
def quick_passwords(settings: LazySettings) -> None:
    """A password hash is slow on purpose."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def patient_cache(settings: LazySettings) -> None:
    """On a machine that is busy Redis may take longer than a visitor would wait, and then nothing is counted there."""
    options = settings.CACHES["default"]["OPTIONS"] | {"socket_connect_timeout": 10, "socket_timeout": 10}
    settings.CACHES = {"default": {**settings.CACHES["default"], "OPTIONS": options}}
