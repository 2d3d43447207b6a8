import logging
import time

import pytest
from django.utils import timezone

from accounts import keys
from accounts.models import AuditEntry, User
from accounts.removal import remove_account
from accounts.tests.builders import make_root, make_user

pytestmark = pytest.mark.django_db


def test_a_key_finds_its_user_and_can_be_revealed():
    acme, globex = make_user(), make_user()
    assert keys.find(acme.key) == acme
    assert keys.find(globex.key) == globex
    assert keys.reveal(acme, by=globex) == acme.key


def test_a_key_is_tt_and_43_letters_or_digits_that_never_repeat():
    issued = {keys.new_secret("tt_") for _ in range(200)}
    assert len(issued) == 200
    assert all(key.startswith("tt_") and len(key) == 46 and key[3:].isalnum() and key.isascii() for key in issued)


@pytest.mark.parametrize(
    "key", ["", " ", "tt_", "x" * 10_000, "tt_\0", "tt_é", "tt_\ud800", "\U0001f600", "tt_" + "a" * 43, "a,b"]
)
def test_what_was_never_issued_is_nobodys(key):
    make_user()
    assert keys.find(key) is None


def test_a_key_with_another_last_character_or_another_case_is_nobodys():
    user = make_user()
    other = "a" if user.key[-1] != "a" else "b"
    assert keys.find(user.key[:-1] + other) is None
    assert keys.find(user.key.swapcase()) is None
    assert keys.find(user.key + " ") is None


def test_a_new_key_ends_the_old_one():
    user = make_user()
    new = keys.issue(user)
    assert keys.find(user.key) is None
    assert keys.find(new) == user


def test_the_key_of_a_user_of_a_removed_account_is_nobodys():
    user = make_user()
    remove_account(user.account, by=None, now=timezone.now())
    assert keys.find(user.key) is None


def test_no_column_holds_a_key_in_clear():
    user = make_user()
    row = User.objects.filter(pk=user.pk).values().get()
    stored = b"|".join(
        bytes(value) if isinstance(value, memoryview | bytes) else str(value).encode() for value in row.values()
    )
    assert user.key.encode() not in stored
    assert user.key[3:].encode() not in stored


def test_the_same_key_has_another_hash_under_another_pepper(settings):
    settings.PEPPER = "a" * 32
    one = keys.digest("tt_key")
    settings.PEPPER = "b" * 32
    assert keys.digest("tt_key") != one


def test_a_ciphertext_moved_to_another_user_is_unreadable_and_audited():
    acme, root = make_user(), make_root()
    root.key_cipher = acme.key_cipher
    root.save()
    with pytest.raises(keys.Unreadable):
        keys.reveal(root, by=root)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject, entry.actor) == ("api_key.unreadable", str(root.id), root.id)


def test_a_changed_ciphertext_is_unreadable():
    user = make_user()
    user.key_cipher = bytes(user.key_cipher)[:-1] + bytes([bytes(user.key_cipher)[-1] ^ 1])
    with pytest.raises(keys.Unreadable):
        keys.reveal(user, by=user)


def test_with_another_key_encryption_key_it_is_unreadable_but_still_found(settings):
    user = make_user()
    settings.KEKS = ["another-key-encryption-key-of-some-length"]
    with pytest.raises(keys.Unreadable):
        keys.reveal(user, by=user)
    assert keys.find(user.key) == user


def test_after_a_rotation_old_ciphertexts_are_read_and_new_ones_use_the_new_key(settings):
    old, new = settings.KEKS[0], "a-new-key-encryption-key-of-some-length"
    before = make_user()
    settings.KEKS = [new, old]
    after = make_user()
    assert keys.reveal(before, by=before) == before.key
    settings.KEKS = [new]
    assert keys.reveal(after, by=after) == after.key
    with pytest.raises(keys.Unreadable):
        keys.reveal(before, by=before)


def test_a_user_without_a_ciphertext_is_unreadable():
    user = make_user()
    user.key_cipher = None
    with pytest.raises(keys.Unreadable):
        keys.reveal(user, by=user)


def test_each_reveal_leaves_an_audit_entry_without_the_key():
    acme, root = make_user(), make_root()
    keys.reveal(acme, by=root)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject, entry.actor) == ("api_key.reveal", str(acme.id), root.id)


def test_no_log_line_holds_a_key(caplog):
    caplog.set_level(logging.DEBUG)
    user = make_user()
    keys.find(user.key)
    keys.reveal(user, by=user)
    user.key_cipher = b""
    with pytest.raises(keys.Unreadable):
        keys.reveal(user, by=user)
    assert user.key not in caplog.text


def test_looking_up_costs_no_password_hasher():
    user = make_user()
    began = time.process_time()
    for _ in range(20):
        keys.find(user.key)
    # One round of PBKDF2 alone takes longer than all twenty may.
    assert time.process_time() - began < 0.2
