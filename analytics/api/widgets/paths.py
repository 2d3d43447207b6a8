"""ROOM widgets: what a path says (contract 5.2)."""

import re
from dataclasses import dataclass

from analytics.api.widgets.dialect import Refused

INSTANCE = re.compile(r"[A-Za-z0-9_-]{1,64}")
NUMBER = re.compile(r"[0-9]{1,19}")
GREATEST = 2**63 - 1
FORMATS = ("json", "gif")
NOT_FOUND = "not_found"
SHOP = "shop"
WIDGET_ACTIONS = frozenset({"render", "move", "upload_click", "filter_click", "view_all"})
MEDIA_ACTIONS = frozenset({"render", "view", "move", "click", "close", "play_click", SHOP})
LONGEST_TRANSACTION = 128


@dataclass(slots=True, frozen=True)
class Place:
    """What was done, and to what: a widget, or a medium in it."""

    instance: str
    kind: str
    # Of a category or stream; None of `best` and of a stream that was not found.
    id: int | None
    media: int | None
    action: str
    format: str

    @property
    def is_empty(self) -> bool:
        """Whether the widget was rendered without its stream."""
        return self.kind == "stream" and self.id is None

    @property
    def name(self) -> str:
        return f"{'widget' if self.media is None else 'media'}_{self.action}"


def widget(path: str) -> Place:
    """The place of /track/widget/... Raises Refused."""
    instance, kind, id_, media, last = shape(parts_of(path))
    action, format_ = ending(last)
    if action == "media" and media is None:
        # The name of a medium's folder, which needs more behind it.
        raise Refused(404, "unknown_path")
    if not INSTANCE.fullmatch(instance):
        raise Refused(400, "invalid_path")
    if action not in (WIDGET_ACTIONS if media is None else MEDIA_ACTIONS):
        raise Refused(400, "unknown_action")
    if kind == "stream" and id_ == NOT_FOUND and media is None and action == "render":
        return Place(instance, kind, None, None, action, format_)
    return Place(
        instance,
        kind,
        None if id_ is None else number(id_, "invalid_path"),
        None if media is None else number(media, "invalid_path"),
        action,
        format_,
    )


def transaction(path: str) -> tuple[str, str]:
    """The transaction and the format of /track/transaction/{id}/checkout. Raises Refused."""
    match parts_of(path):
        case [id_, last] if id_ and last.partition(".")[0] == "checkout":
            _, format_ = ending(last)
            if len(id_) > LONGEST_TRANSACTION or not id_.strip() or not id_.isprintable() or "\ufffd" in id_:
                raise Refused(400, "invalid_path")
            return id_, format_
    raise Refused(404, "unknown_path")


def parts_of(path: str) -> list[str]:
    """What stands between the slashes after /track/widget or /track/transaction, in either spelling (D-21)."""
    return path.removesuffix("/").split("/")[3:]


def shape(parts: list[str]) -> tuple[str, str, str | None, str | None, str]:
    """Instance, kind, id, medium and last part of a path that has one of the documented shapes."""
    if all(parts):
        match parts:
            case [instance, "category" | "stream" as kind, id_, last]:
                return instance, kind, id_, None, last
            case [instance, "best" as kind, last]:
                return instance, kind, None, None, last
            case [instance, "category" | "stream" as kind, id_, "media", media, last]:
                return instance, kind, id_, media, last
            case [instance, "best" as kind, "media", media, last]:
                return instance, kind, None, media, last
    raise Refused(404, "unknown_path")


def ending(last: str) -> tuple[str, str]:
    """The action and the format of a path's last part."""
    action, dot, format_ = last.partition(".")
    if dot and format_ not in FORMATS:
        raise Refused(400, "unknown_format")
    return action, format_


def number(text: str, reason: str) -> int:
    """A whole number of 64 bits that is not negative. Raises Refused."""
    if not NUMBER.fullmatch(text) or int(text) > GREATEST:
        raise Refused(400, reason)
    return int(text)
