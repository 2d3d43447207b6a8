"""CORS for the routes that page scripts of other sites call. All of them ignore cookies entirely (contract D-36)."""

from tinytrail.web.call import Reply


def echoing(origin: str | None) -> tuple[tuple[str, str], ...]:
    """Headers that let any origin read the answer in credentials mode, in which `*` would not do (contract 2.3)."""
    return (
        ("Access-Control-Allow-Origin", origin or "*"),
        ("Access-Control-Allow-Methods", "POST, OPTIONS"),
        ("Access-Control-Allow-Headers", "Content-Type"),
        ("Access-Control-Allow-Credentials", "true"),
        ("Vary", "Origin"),
    )


def preflight(headers: tuple[tuple[str, str], ...]) -> Reply:
    return Reply(204, (*headers, ("Access-Control-Max-Age", "86400")))
