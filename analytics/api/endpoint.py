"""What an ingesting room says of a route: pure functions from a call to a hit and from an outcome to a reply."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter

from analytics.api.documentation import PUBLIC, Security
from analytics.ingest.reading import Outcome, Reading, Verdict
from analytics.vocabulary import Dialect
from tinytrail.web.call import Call, Refusal, Reply


def is_signalled(call: Call) -> bool:
    """Whether the browser says, with Global Privacy Control or Do Not Track, that its user is not to be tracked."""
    return call.headers.get("sec-gpc", "").startswith("1") or call.headers.get("dnt", "").startswith("1")


class Endpoint(ABC):
    """One ingest route of a room. Does no I/O; the clock is given."""

    # For the OpenAPI document: what it is called, does and takes.
    name: ClassVar[str]
    summary: ClassVar[str]
    description: ClassVar[str] = ""
    # The schema of its body, by media type, and bodies by what they show.
    bodies: ClassVar[Mapping[str, dict[str, Any]]] = MappingProxyType({})
    examples: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    # Also headers of the answers.
    parameters: ClassVar[tuple[OpenApiParameter, ...]] = ()
    security: ClassVar[Security] = PUBLIC
    # By status, or by status and media type where that is not JSON.
    answers: ClassVar[Mapping[Any, tuple[str, dict[str, Any]]]]

    dialect: ClassVar[Dialect]
    methods: ClassVar[tuple[str, ...]]
    # Bytes; of a longer body the call has none.
    body_limit: ClassVar[int]

    @abstractmethod
    def read(self, call: Call, *, now: datetime) -> Reading:
        """What a call of one of the methods is. Never raises: what is wrong is a refusal."""

    @abstractmethod
    def preflight(self, call: Call) -> Reply:
        """The answer to OPTIONS."""

    @abstractmethod
    def answer(self, call: Call, verdict: Verdict) -> Reply:
        """The answer to a call whose hit was ingested, or could not be."""

    @abstractmethod
    def limited(self, call: Call, verdict: Verdict) -> Reply:
        """The answer to a call over one of its limits."""

    @abstractmethod
    def wrong_method(self, call: Call) -> Refusal:
        """The answer to a method that the route does not take."""

    def take(self, call: Call, *, now: datetime) -> Reading:
        """What any call is, also one of a wrong method."""
        if call.method not in self.methods:
            return self.misdirected(call)
        reading = self.read(call, now=now)
        return replace(reading, is_signalled=True) if is_signalled(call) else reading

    def misdirected(self, call: Call) -> Reading:
        """What a call of a wrong method is."""
        return Reading(self.dialect, (), refusal=self.wrong_method(call))

    def reply(self, call: Call, verdict: Verdict) -> Reply:
        """The answer to a call of which this has become."""
        if verdict.outcome is Outcome.LIMITED:
            return self.limited(call, verdict)
        if verdict.refusal:
            return verdict.refusal.reply
        return self.answer(call, verdict)
