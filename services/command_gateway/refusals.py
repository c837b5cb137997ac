"""Why a command is not carried out, said to its publisher."""

from legbook.contracts.commands import Reason, State

LONGEST = 200  # characters: a message repeats what came in


class RefusedError(Exception):
    """Ends a command before anything was written to the PBX. The message names the field at fault."""

    def __init__(self, reason: Reason | None, message: str, state: State = "rejected") -> None:
        super().__init__(message[:LONGEST])
        self.reason, self.state = reason, state


class UnanswerableError(Exception):
    """No command_id that could be answered: for the dead letters."""
