"""Canaries: values that nothing may keep, every form in which something could keep them, and a search for those forms.

The same values stand in every test that has to do with privacy, so that whatever the suite leaves behind can be
searched for them (guarantees P01, P17, A88).
"""

import base64
import hashlib
import hmac
import ipaddress
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import redis

IPV4 = "203.0.113.77"
IPV6 = "2001:db8::77"
AGENT = "CanaryUA/7.7"
EMAIL = "canary@example.test"

Forms = Mapping[str, bytes]


# -- forms ------------------------------------------------------------------------------------------------------------


def forms(name: str, text: str, keys: Iterable[str] = ()) -> dict[str, bytes]:
    """The text in every form, by name. `keys` are those that somebody could hash it with besides none."""
    found = {"raw": text.encode(), "url": quote(text, safe="").encode(), **hexadecimal(text.encode()), **base64s(text)}
    found |= hashes(text.encode(), keys)
    if is_address(text):
        found |= numbers(text)
    # What is spelled in several ways alike is searched for once.
    return {f"{name} {form}": needle for form, needle in unlike(found).items()}


def unlike(found: Forms) -> dict[str, bytes]:
    return {form: needle for needle, form in {needle: form for form, needle in reversed(list(found.items()))}.items()}


def hexadecimal(data: bytes) -> dict[str, bytes]:
    return {"hex": data.hex().encode(), "HEX": data.hex().upper().encode()}


def base64s(text: str) -> dict[str, bytes]:
    """In base64 a text has three forms, by where it begins; what its neighbours have a part in is left out."""
    found = {}
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + text.encode() + b"\0\0")
        first = (before * 8 + 5) // 6
        found[f"base64 at {before}"] = encoded[first : (before + len(text)) * 8 // 6]
    return found


def hashes(data: bytes, keys: Iterable[str]) -> dict[str, bytes]:
    digests = {"sha256": hashlib.sha256(data).digest(), "hmac": hmac.digest(b"", data, "sha256")}
    digests |= {f"hmac with key {number}": hmac.digest(key.encode(), data, "sha256") for number, key in enumerate(keys)}
    found: dict[str, bytes] = {}
    for kind, digest in digests.items():
        # A column may keep the first eight bytes only.
        found |= {kind: digest[:8], f"{kind} hex": digest[:8].hex().encode()}
        found[f"{kind} base64"] = base64.b64encode(digest)[:16]
        found[f"{kind} number"] = str(int.from_bytes(digest[:8], "big", signed=True)).encode()
    return found


def is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def numbers(text: str) -> dict[str, bytes]:
    """An address as bytes, where these are too many to occur by chance, and the way name servers spell it."""
    address = ipaddress.ip_address(text)
    backwards = address.reverse_pointer.removesuffix(".in-addr.arpa").removesuffix(".ip6.arpa")
    found = {"reversed": backwards.encode(), "exploded": address.exploded.encode()}
    found |= {f"packed {name}": form for name, form in hexadecimal(address.packed).items()}
    if len(address.packed) == 16:
        found |= {"packed": address.packed, "packed reversed": address.packed[::-1]}
    return found


# -- search -----------------------------------------------------------------------------------------------------------


def found_in(data: bytes, needles: Forms) -> list[str]:
    """The names of the needles in it."""
    return [name for name, needle in needles.items() if needle in data]


def found_in_files(folder: Path, needles: Forms) -> list[str]:
    """The same for all files below a folder, whose size does not matter: grep looks for all of them at once."""
    # It takes a line for a pattern; of what is not one line it is given the longest part that is.
    lines = [max(needle.split(b"\n"), key=len) for needle in needles.values()]
    done = subprocess.run(
        [
            "grep",
            "--recursive",
            "--devices=skip",
            "--text",
            "--fixed-strings",
            "--files-with-matches",
            "--file=-",
            folder,
        ],
        input=b"\n".join(lines),
        capture_output=True,
        env={"LC_ALL": "C", "PATH": "/usr/local/bin:/usr/bin:/bin"},
    )
    assert done.returncode in (0, 1) or b"No such file" in done.stderr, done.stderr
    candidates = [Path(name.decode()) for name in done.stdout.splitlines()]
    return sorted({name for path in candidates if path.exists() for name in found_in(path.read_bytes(), needles)})


def everything_in(client: "redis.Redis") -> Iterator[bytes]:
    """Names and values of every key, as Redis writes them and as they are read: what it writes may be compressed."""
    for key in client.scan_iter(count=1000):
        yield key
        yield client.dump(key) or b""
        yield repr(value_of(client, key)).encode()
        yield b"".join(parts(value_of(client, key)))


def value_of(client: "redis.Redis", key: bytes) -> object:
    readers = {
        b"string": lambda: client.get(key),
        b"list": lambda: client.lrange(key, 0, -1),
        b"set": lambda: client.smembers(key),
        b"zset": lambda: client.zrange(key, 0, -1),
        b"hash": lambda: client.hgetall(key),
        b"stream": lambda: client.xrange(key),
    }
    kind = client.type(key)
    # It may have ended meanwhile.
    return readers[kind]() if kind in readers else None  # type: ignore[no-untyped-call]


def parts(value: object) -> Iterator[bytes]:
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, Mapping):
        for pair in value.items():
            yield from parts(pair)
    elif isinstance(value, list | tuple | set):
        for part in value:
            yield from parts(part)
