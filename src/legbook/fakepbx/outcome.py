"""What became of the legs of a round that a hang-up changed: its expected table, read against what it plays now."""

from collections.abc import Sequence
from dataclasses import replace

from legbook.fakepbx import causes
from legbook.fakepbx.expected import Row
from legbook.fakepbx.lives import Life, Lives, lives
from legbook.fakepbx.moments import SECOND
from legbook.fakepbx.templates import Template


def as_it_went(table: Sequence[Row], script: Sequence[Template]) -> list[Row]:
    """The legs that there are after all; the times are those of the script."""
    found = lives(script)
    rows = (_row(row, found) for row in table)
    return [row for row in rows if row is not None]


def _row(row: Row, found: Lives) -> Row | None:
    called = found.get(row.texts["dstuid"] or "")
    if called is not None and called.dialled is not None:
        return _dialled(row, called)
    caller = found.get(row.texts["srcuid"] or "")
    if caller is None or not _waited(row, caller):
        return None
    return _never_dialled(row, caller)


def _waited(row: Row, caller: Life) -> bool:
    """The caller had this row before anyone was dialled for it."""
    begun = caller.calls is not None and (caller.end is None or row.born <= caller.end)
    return begun and (row.kind == "caller" or row.born < row.start)


def _dialled(row: Row, called: Life) -> Row:
    if called.end is None:
        return row
    talked = 0 if called.answer is None else (called.talk_end or called.end) - called.answer
    outcome = causes.disposition(answered=called.answer is not None, cause=called.cause, status=called.status)
    return replace(
        row,
        texts={**row.texts, "disposition": outcome, "cause": called.cause},
        ring=called.ring,
        answer=called.answer,
        end=called.end,
        billsec=talked / SECOND,
    )


def _never_dialled(row: Row, caller: Life) -> Row:
    """The caller was in the dialplan and nobody had been rung: the row stays the caller's own."""
    status = causes.disposition(answered=caller.up is not None, cause="", status=caller.status)
    where = row.texts if row.kind == "caller" else _where_it_was(row, caller)
    return replace(
        row,
        kind="caller",
        texts={**where, "disposition": status, "cause": caller.cause},
        start=row.born,
        ring=None,
        answer=None,
        end=row.end if caller.end is None else caller.end,
        billsec=0.0,
    )


def _where_it_was(row: Row, caller: Life) -> dict[str, str | None]:
    exten = caller.snapshot["Exten"]
    nobody = dict.fromkeys(("called", "dstuid", "dialled"))
    return {**row.texts, **nobody, "dst": exten, "exten": exten}
