"""A hang-up of the ringing leg and what became of it; a click-to-dial."""

from hashlib import sha256
from typing import Final

from legbook.contracts import codec
from legbook.contracts.commands import CommandResult, Hangup, HangupArgs, Originate, OriginateArgs
from legbook.contracts.examples.moments import at, leg_id

COMMAND: Final = Hangup(
    command_id="0d4f7c2e-6f0b-4a57-9a34-5b1f0f1d2c11",
    pbx="hq",
    args=HangupArgs(leg_id=leg_id(at(19.568833)), side="dst"),
    issuer="crm",
    actor="alice",
    issued_at=at(21.0),
    not_after=at(26.0),
)
RESULT: Final = CommandResult(
    command_id=COMMAND.command_id,
    pbx="hq",
    state="done",
    message="1 channel hung up",
    uniqueids=["1795397779.5"],
    leg_ids=[COMMAND.args.leg_id],
    at=at(21.042),
    verb="hangup",
    digest=sha256(codec.encode(COMMAND)).hexdigest(),
)
ORIGINATE: Final = Originate(  # 201 rings; when it answers, 90555123 is dialled for it
    command_id="6a1f0c9d-5b0e-4f4e-8b58-0f2b9f1f7f52",
    pbx="hq",
    args=OriginateArgs(
        endpoint="PJSIP/201",
        exten="90555123",
        context="from-internal",
        ring=20,
        caller_name="Click to dial",
        caller_number="201",
    ),
    issuer="crm",
    actor="alice",
    issued_at=at(40.0),
    not_after=at(45.0),
)
