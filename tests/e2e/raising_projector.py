"""curcdr_projector with a rule that raises where a test says so: `python -m tests.e2e.raising_projector`."""

from typing import Any

from curcdr_projector.app import main
from legbook.calls import PbxState
from legbook.contracts.raw import Event

_run = PbxState._run


def run(self: PbxState, step: Any, entry: Any, boot: int | None) -> None:
    _run(self, step, entry, boot)
    if isinstance(entry, Event) and entry.fields.get("UserEvent") == "Raise":
        raise RuntimeError("told to")


if __name__ == "__main__":
    PbxState._run = run  # type: ignore[method-assign]
    main()
