"""What a phone saw of its calls, with the time of each fact: a witness that owes nothing to Asterisk."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum


class What(StrEnum):
    """Sent or received is told from the phone's side; `ringing` and `answered` are of either side's phone."""

    INVITED = "invited"  # somebody calls this phone
    CALLING = "calling"  # this phone calls
    RINGING = "ringing"
    ANSWERED = "answered"
    CANCEL_RECEIVED = "cancel_received"  # the detail is the Reason header
    CANCEL_SENT = "cancel_sent"
    REFUSED = "refused"  # a final answer of 300 or more, which is the detail
    BYE_RECEIVED = "bye_received"
    BYE_SENT = "bye_sent"


@dataclass(frozen=True, slots=True)
class Fact:
    at: datetime
    what: What
    detail: str = ""


@dataclass(slots=True)
class PhoneLog:
    """Facts in the order in which they happened."""

    facts: list[Fact] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def add(self, what: What, detail: str = "") -> None:
        self.facts.append(Fact(datetime.now(UTC), what, detail))
        self._news.set()

    @property
    def whats(self) -> list[What]:
        return [fact.what for fact in self.facts]

    def first(self, what: What) -> Fact:
        """The first fact of that kind; LookupError tells what there is instead."""
        for fact in self.facts:
            if fact.what == what:
                return fact
        raise LookupError(f"never {what}, only {self.whats}")

    def since(self, count: int) -> "PhoneLog":
        """A copy without the first `count` facts."""
        return PhoneLog(self.facts[count:])

    async def wait(self, what: What, *, timeout: float = 15, after: int = 0) -> Fact:  # noqa: ASYNC109
        """The first fact of that kind after the first `after` facts, as soon as there is one."""
        try:
            async with asyncio.timeout(timeout):
                while what not in self.whats[after:]:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise TimeoutError(f"not {what} within {timeout} s, only {self.whats[after:]}") from None
        return self.since(after).first(what)
