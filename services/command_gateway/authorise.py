"""May this be asked, now? Pure. Signatures and policy come here; until then commands are taken from loopback only."""

from datetime import datetime, timedelta
from typing import Final

from command_gateway.refusals import RefusedError
from legbook.contracts.commands import Command

LONGEST: Final = timedelta(seconds=60)
SKEW: Final = timedelta(seconds=30)


def check(command: Command, now: datetime) -> None:
    """RefusedError: `expired`, or `bad_field` for times that make no sense."""
    if command.not_after <= command.issued_at:
        raise RefusedError("bad_field", "not_after: not later than issued_at")
    if command.not_after - command.issued_at > LONGEST:
        raise RefusedError("bad_field", f"not_after: more than {LONGEST.seconds} s after issued_at")
    if command.issued_at - now > SKEW:
        ahead = (command.issued_at - now).total_seconds()
        raise RefusedError("bad_field", f"issued_at: {ahead:.0f} s in the future by our clock")
    if now >= command.not_after:
        late = (now - command.not_after).total_seconds()
        raise RefusedError(None, f"not_after was past by {late:.1f} s", "expired")
