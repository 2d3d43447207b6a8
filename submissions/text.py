"""Texts as they are compared: without accents, case and superfluous space, in any script."""

import unicodedata


def collapsed(text: str) -> str:
    """Trimmed, with runs of white space as one space."""
    return " ".join(text.split())


def folded(text: str) -> str:
    """For comparing: accents and case gone, white space collapsed. Letters of other scripts and emoji stay."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return collapsed(plain.casefold())
