import fnmatch
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.content_groups import LONGEST_NAME, LONGEST_PATTERN, MOST_PATTERNS, ContentGroups, check

BLOG = {"name": "Blog", "pattern": "/blog/*"}


def groups(*patterns: str) -> ContentGroups:
    """Groups that are named like their patterns."""
    return ContentGroups([{"name": pattern, "pattern": pattern} for pattern in patterns])


def test_it_works():
    acme = ContentGroups([BLOG, {"name": "Shop", "pattern": "/shop/*/buy"}, {"name": "Home", "pattern": "/"}])
    paths = ["/blog/2026/news", "/shop/shoes/buy", "/", "/about", "/blog"]
    assert [acme.match(path) for path in paths] == ["Blog", "Shop", "Home", None, None]


def test_the_first_match_wins():
    assert groups("/blog/new*", "/blog/*", "*").match("/blog/news") == "/blog/new*"
    assert groups("*", "/blog/*").match("/blog/news") == "*"


def test_without_groups_no_path_has_one():
    assert ContentGroups().match("/blog/news") is None


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("/blog", ["/blog"], ["/blog/", "/Blog", "/my/blog", "/blogs"]),
        ("/blog/*", ["/blog/", "/blog/a", "/blog/a/b/c"], ["/blog", "/my/blog/a"]),
        ("*.html", [".html", "/a/b.html"], ["/a.html5", "/ahtml"]),
        ("*", ["", "/", "/anything at all"], []),
        ("**", ["", "/"], []),
        ("/a*a", ["/aa", "/aba", "/aaa"], ["/a"]),
        ("/a*b*c", ["/abc", "/a-b-c", "/abbcc", "/abcbc"], ["/acb", "/abcd", "/ac"]),
        ("/*ab*ab", ["/abab", "/xabyab"], ["/ab", "/aab"]),
        ("/*/*/edit", ["/a/b/edit", "///edit", "/a/b/c/edit"], ["/a/edit", "/a/b/edit/"]),
        # Whatever is not a star is itself.
        ("/a?c", ["/a?c"], ["/abc"]),
        ("/[ab]", ["/[ab]"], ["/a"]),
        ("/.*", ["/.", "/.a"], ["/a"]),
        ("/(a+)+$", ["/(a+)+$"], ["/aaa"]),
        ("/a\\*", ["/a\\", "/a\\b"], ["/a*"]),
        ("/ä/*", ["/ä/ö"], ["/a/"]),
    ],
)
def test_a_star_is_any_run_and_the_rest_is_literal(pattern, matching, others):
    assert [groups(pattern).match(path) for path in matching] == [pattern] * len(matching)
    assert [groups(pattern).match(path) for path in others] == [None] * len(others)


@given(st.text("ab*/", max_size=12), st.text("ab/", max_size=16))
def test_it_matches_as_a_shell_would(pattern, path):
    shell = re.fullmatch(fnmatch.translate(pattern), path)
    assert groups(pattern).match(path) == (pattern if shell else None)


def test_the_worst_pattern_takes_no_time():
    # A backtracking matcher would outlive the universe over this.
    nasty = groups(*["*a" * 99 + "b"] * MOST_PATTERNS)
    begun = time.process_time()
    assert nasty.match("/" + "a" * 2047) is None
    assert time.process_time() - begun < 1


def test_groups_are_kept_trimmed_and_in_order():
    kept = check([{"name": " Blog ", "pattern": " /blog/* "}, {"name": "Blog", "pattern": "/news/*", "color": "red"}])
    assert kept == [BLOG, {"name": "Blog", "pattern": "/news/*"}]
    assert check([]) == []


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (None, "content_groups must be a list"),
        ({"name": "Blog", "pattern": "/blog/*"}, "content_groups must be a list"),
        ([BLOG, "/blog/*"], r"content_groups\[1\] must be an object"),
        ([BLOG, None], r"content_groups\[1\] must be an object"),
        ([{"pattern": "/blog/*"}], r"content_groups\[0\]\.name must be a text that is not empty"),
        ([{"name": "Blog"}], r"content_groups\[0\]\.pattern must be a text that is not empty"),
        ([BLOG | {"name": "  "}], r"content_groups\[0\]\.name must be a text that is not empty"),
        ([BLOG | {"pattern": ""}], r"content_groups\[0\]\.pattern must be a text that is not empty"),
        ([BLOG | {"name": 7}], r"content_groups\[0\]\.name must be a text that is not empty"),
        ([BLOG | {"pattern": ["/"]}], r"content_groups\[0\]\.pattern must be a text that is not empty"),
        ([BLOG | {"name": "n" * 101}], r"content_groups\[0\]\.name must have at most 100 characters"),
        ([BLOG | {"pattern": "p" * 201}], r"content_groups\[0\]\.pattern must have at most 200 characters"),
        ([BLOG | {"name": "a\0b"}], r"content_groups\[0\]\.name must not hold control characters"),
        ([BLOG | {"name": "a\nb"}], r"content_groups\[0\]\.name must not hold control characters"),
        ([BLOG | {"pattern": "/\ud800"}], r"content_groups\[0\]\.pattern must not hold control characters"),
        ([BLOG] * 51, "content_groups must have at most 50 entries"),
    ],
)
def test_the_sentence_names_the_wrong_field(value, sentence):
    with pytest.raises(ValueError, match=sentence):
        check(value)


def test_as_much_as_is_allowed_is_accepted():
    largest = {"name": "n" * LONGEST_NAME, "pattern": "p" * LONGEST_PATTERN}
    assert check([largest] * MOST_PATTERNS) == [largest] * MOST_PATTERNS


def test_letters_of_every_script_are_welcome():
    largest = [{"name": "Мода 👗", "pattern": "/мода/*"}]
    assert check(largest) == largest
