"""curcdr_projector with an `apply` that raises where a test says so: `python -m tests.e2e.raising_projector`."""

from typing import Any

from curcdr_projector.app import main
from legbook.calls import PbxState
from legbook.contracts.raw import Event

_apply = PbxState.apply


def apply(self: PbxState, entry: Any, **place: Any) -> Any:
    if isinstance(entry, Event) and entry.name == "UserEvent" and entry.fields.get("UserEvent") == "Raise":
        raise RuntimeError("told to")
    return _apply(self, entry, **place)


if __name__ == "__main__":
    PbxState.apply = apply  # type: ignore[method-assign]
    main()
