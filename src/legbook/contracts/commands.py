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
    "not_reached",
]
# Letters of the scripts that phones show; nothing that a dialplan, a shell or a SIP header could take for its own
_NAME = (
    "A-Za-z0-9_ .'\u00c0-\u024f\u0370-\u03ff\u0400-\u052f\u0590-\u06ff"
    "\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af-"
)
Number = Annotated[
    str, Meta(pattern="^[0-9*#+]{1,32}(?!\n)$", description="What could be dialled: digits, * # +.")
]


class HangupArgs(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which channels of which leg; both are hung up with one write."""

    leg_id: LegId
    side: Annotated[Side, Meta(description="The caller's channel, the called phone's, or both.")]


class OriginateArgs(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who rings first, and what is dialled for them when they answer."""

    endpoint: Annotated[
        str,
        Meta(
            pattern=r"^(?:PJSIP|SIP)/[A-Za-z0-9_.-]{1,40}(?:@[A-Za-z0-9_-]{1,40})?(?!\n)$"
            r"|^Local/[0-9*#+]{1,32}@[A-Za-z0-9_-]{1,79}(?!\n)$",
            description="Rings first: a phone (`PJSIP/201`) that `policy.endpoints` of the fleet file names, or a "
            "number (`Local/90555123@from-internal`) in a context of `policy.contexts`.",
        ),
    ]
    exten: Annotated[Number, Meta(description="Dialled in `context` when the first has answered.")]
    context: Annotated[
        str,
        Meta(
            pattern="^[A-Za-z0-9_-]{1,79}(?!\n)$",
            description="Context of the dialplan, one of `policy.contexts` of the fleet file.",
        ),
    ]
    ring: Annotated[int, Meta(ge=1, le=60, description="Seconds that the first may ring.")] = 30
    caller_name: Annotated[
        str,
        Meta(
            pattern=f"^[{_NAME}]{{0,64}}(?!\n)$",
            description="Shown to both while it rings, with `caller_number`.",
        ),
    ] = ""
    caller_number: Annotated[
        str, Meta(pattern="^[0-9*#+]{0,32}(?!\n)$", description="Digits, * # +. '' and no name: none is set.")
    ] = ""


class _Command(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="verb"):
    """What every command has."""

    v: Literal[1] = 1
    command_id: CommandId
    pbx: PbxName
    issuer: Annotated[Who, Meta(description="The service that asks.")]
    actor: Annotated[Who, Meta(description="The person or job in whose name.")]
    issued_at: Annotated[Moment, Meta(description="Now, by the publisher's clock.")]
    not_after: Annotated[
        Moment, Meta(description="Past this nothing is sent to the PBX; at most 60 s after issued_at.")
    ]


class Hangup(_Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="hangup"):
    """End a leg. Done when AMI has said yes and every channel that was meant is gone."""

    args: HangupArgs


class Originate(_Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="originate"):
    """Click-to-dial: done when the first has answered. `linkedid` of the call's legs is the command_id."""

    args: OriginateArgs


Command = Hangup | Originate


class CommandResult(Struct, frozen=True, kw_only=True):
    """The newest state of a command. All but `sent` are final: a command is sent to the PBX once or never."""

    v: Literal[1] = 1
    command_id: Annotated[str, Meta(description="Of the command.")]
    pbx: Annotated[str, Meta(description="Of the command.")]
    state: Annotated[
        State,
        Meta(
            description="sent: to the PBX, or about to be. done: it had its effect. failed: the PBX, or the phone, "
            "was not reached, or said no. rejected: not sent, see reason. expired: not sent, not_after was past. "
            "unknown: sent, and nobody can say."
        ),
    ]
    reason: Annotated[Reason | None, Meta(description="Why, from a closed list; null for sent and done.")] = (
        None
    )
    message: Annotated[str, Meta(description="The same for people, with the field at fault.")] = ""
    uniqueids: Annotated[list[str], Meta(description="Channels that were named to the PBX.")] = []
    leg_ids: Annotated[list[int], Meta(description="Legs it was about, or that it began.")] = []
    at: Annotated[Moment, Meta(description="When the gateway said so.")]
    verb: Annotated[str, Meta(description="What was asked.")] = ""
    due: Annotated[
        Moment | None, Meta(description="Of sent: an end is on record by then, unless a gateway is killed.")
    ] = None
    digest: Annotated[
        str,
        Meta(
            description="SHA-256 of the command's value, in hex: which of two commands with one id this answers."
        ),
    ]

    @property
    def final(self) -> bool:
        return self.state in FINAL
