"""A new key-encryption key: everything sealed is sealed anew, and the old key can be thrown away (guarantee A16)."""

import io
import json

import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import models

from accounts import keys, rotation, second_factor, vault
from accounts.models import Authenticator, User
from accounts.tests.authenticators import give_phone
from accounts.tests.builders import make_user

pytestmark = pytest.mark.django_db

NEW = "a-new-key-encryption-key-of-some-length"


@pytest.fixture
def old(settings):
    """What was sealed before the new key came first."""
    found = make_user(login="ann"), make_user()
    give_phone(found[0])
    settings.KEKS = [NEW, *settings.KEKS]
    return found


def run(*words):
    out, err = io.StringIO(), io.StringIO()
    call_command(*words, stdout=out, stderr=err)
    return err.getvalue().strip(), json.loads(out.getvalue())


def test_afterwards_the_new_key_opens_everything(settings, old):
    secret = second_factor.secret_text(Authenticator.objects.get())
    assert rotation.reseal() == rotation.Rotation(resealed=3)
    settings.KEKS = [NEW]
    for user in old:
        assert keys.reveal(User.objects.get(pk=user.pk), by=user) == user.key
    assert second_factor.secret_text(Authenticator.objects.get()) == secret


def test_keys_work_before_during_and_after(old):
    assert [keys.find(user.key) for user in old] == list(old)
    rotation.reseal()
    assert [keys.find(user.key) for user in old] == list(old)


def test_a_second_time_there_is_nothing_to_do(old):
    rotation.reseal()
    before = list(User.objects.values_list("key_cipher", flat=True))
    assert rotation.reseal() == rotation.Rotation()
    assert [bytes(one) for one in User.objects.values_list("key_cipher", flat=True)] == [bytes(one) for one in before]


def test_no_column_is_left_with_the_old_key(settings, old):
    """Whoever seals something else has to tell accounts.rotation of it."""
    rotation.reseal()
    old_id = vault._key_id(settings.KEKS[1])
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, models.BinaryField):
                stored = model.objects.exclude(**{field.name: None}).values_list(field.name, flat=True)
                assert not any(bytes(value).startswith(old_id) for value in stored), (model, field.name)
    assert all(vault.is_current(one.cipher) for one in (*rotation.api_keys(), *rotation.authenticators()))


def test_what_changed_meanwhile_is_new_already(old):
    """A key that was issued after its row was read is not overwritten by the one before it."""
    stale = next(one for one in rotation.api_keys() if one.bound_to == old[1].pk.bytes)
    key = keys.issue(old[1])
    assert not stale.replace(b"the key of before")
    assert keys.reveal(User.objects.get(pk=old[1].pk), by=old[1]) == key


def test_what_no_key_opens_stays_and_is_told(settings, old):
    settings.KEKS = [NEW, "another-key-encryption-key-of-some-length"]
    with pytest.raises(CommandError, match="3 can be opened by no key of TINYTRAIL_KEK"):
        run("reseal_secrets", "--json")
    assert not any(vault.is_current(one.cipher) for one in rotation.api_keys())


def test_the_command_says_how_many(old):
    assert run("reseal_secrets", "--json") == (
        "3 secrets were encrypted anew. All are now encrypted with the first key of TINYTRAIL_KEK.",
        {"resealed": 3},
    )
