"""`pbx.commands.v1` and `pbx.commands.results.v1`: what others ask of a PBX, and what became of it.

Unlike in what we publish, an unknown field of a command is refused: it may be the one that mattered.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from legbook.contracts.raw import Moment, PbxName

CommandId = Annotated[
    str,
    Meta(
        pattern="^[A-Za-z0-9._:-]{1,64}(?!\n)$",
        description="Chosen by the publisher, never used twice: a UUID or ULID.",
    ),
]
Who = Annotated[
    str,
    Meta(
        # C0, DEL, C1 and the Unicode line ends: nothing that could end a line of anything
        pattern="^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]{1,128}(?!\n)$",
        description="1 to 128 characters, no control characters.",
    ),
]
LegId = Annotated[int, Meta(ge=0, lt=2**53, description="`leg_id` of a live leg, `id` in curcdr.")]
Side = Literal["src", "dst", "both"]
State = Literal["sent", "done", "failed", "rejected", "expired", "unknown"]
FINAL: frozenset[State] = frozenset({"done", "failed", "rejected", "expired", "unknown"})
Reason = Literal[
    "bad_json",
    "unknown_verb",
    "bad_field",
    "unknown_pbx",
    "unknown_leg",
    "leg_ended",
    "not_allowed",
    "bad_signature",
    "id_conflict",
    "wrong_partition",
    "pbx_stale",
    "busy",
    "pbx_down",
    "ami_error",
    "no_answer",
    "no_effect",
    "gateway_restarted",
]


class HangupArgs(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which channels of the leg: the caller's, the called phone's, or both with one write."""

    leg_id: LegId
    side: Side


class Hangup(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="verb", tag="hangup"):
    """End a leg. Done when AMI has said yes and every channel that was meant is gone."""

    v: Literal[1] = 1
    command_id: CommandId
    pbx: PbxName
    args: HangupArgs
    issuer: Annotated[Who, Meta(description="The service that asks.")]
    actor: Annotated[Who, Meta(description="The person or job in whose name.")]
    issued_at: Annotated[Moment, Meta(description="Now, by the publisher's clock.")]
    not_after: Annotated[
        Moment, Meta(description="Past this nothing is sent to the PBX; at most 60 s after issued_at.")
    ]


Command = Hangup


class CommandResult(Struct, frozen=True, kw_only=True):
    """The newest state of a command. All but `sent` are final: a command is sent to the PBX once or never."""

    v: Literal[1] = 1
    command_id: str
    pbx: str
    state: Annotated[
        State,
        Meta(
            description="sent: to the PBX, or about to be. done: it had its effect. failed: the PBX was not reached, "
            "or said no. rejected: not sent, see reason. expired: not sent, not_after was past. unknown: sent, and "
            "nobody can say."
        ),
    ]
    reason: Annotated[Reason | None, Meta(description="Why, from a closed list; null for sent and done.")] = (
        None
    )
    message: Annotated[str, Meta(description="The same for people, with the field at fault.")] = ""
    uniqueids: Annotated[list[str], Meta(description="Channels that were named to the PBX.")] = []
    leg_ids: list[int] = []
    at: Moment
    digest: Annotated[
        str,
        Meta(
            description="SHA-256 of the command's value, in hex: which of two commands with one id this answers."
        ),
    ]

    @property
    def final(self) -> bool:
        return self.state in FINAL
