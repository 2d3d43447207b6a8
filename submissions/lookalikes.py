"""Words that mix scripts to look like other words: `Саsіnо` with four Cyrillic letters.

Only letters that look like Latin ones count, in a word that has Latin ones as well: texts in two scripts are as good as
any, and so is a band that writes an R the wrong way round.
"""

import re

# The lower and upper case letters of Cyrillic and Greek that look like Latin ones (Unicode's confusables).
CYRILLIC = "асеіјорѕухһԁԛԝӏАВЕЅІЈКМНОРСТУХԌԚԜӀ"
GREEK = "ορνικαυχγΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹϲ"
LOOKALIKES = frozenset(CYRILLIC + GREEK)
WORD = re.compile(r"[^\W\d_]+")
LATIN = re.compile(r"[A-Za-zÀ-ÖØ-öø-ɏ]")


def disguised_words(text: str) -> list[str]:
    """The words with letters of another script in the guise of Latin ones, in order, each once."""
    words = (match[0] for match in WORD.finditer(text))
    return list(dict.fromkeys(word for word in words if is_disguised(word)))


def is_disguised(word: str) -> bool:
    foreign = {char for char in word if char in LOOKALIKES}
    rest = [char for char in word if char not in LOOKALIKES]
    # With a letter that looks like no Latin one it is read as what it is: `КоЯn`.
    return bool(foreign) and bool(rest) and all(LATIN.match(char) for char in rest)
