"""The domain of a website: a bare host name."""

import re

LONGEST = 255
LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)


def check(domain: object) -> str:
    """The domain trimmed and in lower case. Raises ValueError with a sentence.

    `localhost`, single names of an intranet and IPv4 addresses are host names as well (contract 2.7, A45).
    """
    if not isinstance(domain, str):
        raise ValueError("domain must be a string, for example example.com.")
    domain = domain.strip().lower()
    if not domain:
        raise ValueError("domain is required, for example example.com.")
    if not domain.isascii():
        raise ValueError("domain must be written in its xn-- form: it holds letters that are not ASCII.")
    if len(domain) > LONGEST:
        raise ValueError(f"domain must have at most {LONGEST} characters.")
    if not all(LABEL.fullmatch(label) for label in domain.split(".")):
        raise ValueError(
            "domain must be a bare host name such as example.com: letters, digits, hyphens and dots, "
            "without scheme, port or path."
        )
    return domain
