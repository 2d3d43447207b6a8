"""The cookie of a calendar's signed-in reader: a JWT of the real service's shape (contract 3.5, D-19).

Only that somebody is signed in is ever stored with an event, never who it is (guarantee P17).
"""

import re
from datetime import datetime, timedelta

import jwt

COOKIE = "oooc_user_session"
ISSUER = "oooc-fete-finder"
AUDIENCE = "oooc-fete-finder:user"
VERSION = 1
ALGORITHM = "HS256"
DAYS = 30
# Longer ones are nobody's: ours have 300 characters.
LONGEST = 4096
# A header that came twice was put together with a comma, which no cookie holds.
BETWEEN = re.compile("[;,]")


def issue(email: str, *, secret: str, now: datetime, days: int = DAYS) -> str:
    """A value for the cookie."""
    claims = {
        "email": email.lower(),
        "v": VERSION,
        "iss": ISSUER,
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + timedelta(days=days),
    }
    return jwt.encode(claims, secret, algorithm=ALGORITHM)


def is_signed_in(cookies: str, *, secret: str) -> bool:
    """Whether a Cookie header holds a valid one. Whatever is wrong with it, the reader is anonymous."""
    for pair in BETWEEN.split(cookies):
        name, _, value = pair.partition("=")
        if name.strip() == COOKIE:
            return is_valid(value.strip().strip('"'), secret)
    return False


def is_valid(token: str, secret: str) -> bool:
    if not 0 < len(token) <= LONGEST or not token.isascii():
        return False
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={"require": ["exp", "iss", "aud"]},
        )
    # The parts are parsed before the signature is known to be right: as JSON of any kind.
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        return False
    email, version = claims.get("email"), claims.get("v")
    return isinstance(email, str) and bool(email.strip()) and version == VERSION and not isinstance(version, bool)
