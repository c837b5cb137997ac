"""A record of any of our topics as a line of text, or as JSON. Knows what of each message a person wants to see.

1. A record is one line, a raw record one line an entry. A tombstone is `gone`, what cannot be read says why.
2. Nothing in a line can move the cursor or end the line: callers choose their own names.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, assert_never

import msgspec
from aiokafka import ConsumerRecord

from legbook.ami.message import Fields
from legbook.contracts import codec, raw, topics
from legbook.contracts.codec import BadMessageError
from legbook.contracts.commands import Hangup, Originate
from legbook.contracts.legs import Leg
from legbook.contracts.status import IngestStatus

Record = ConsumerRecord[bytes, bytes]
_START: Final = 80  # bytes of a value that is shown as it is
_VALUE: Final = 60  # characters of a header
_HEADERS: Final = 4  # of an event

# In nearly every event; the last ones also behind Dest, LocalOne, LocalTwo, Transferer …
_DULL: Final = re.compile(
    "Event|Privilege|Timestamp|SystemName|ChanVariable|Channel|Uniqueid|Bridge(Type|Creator|Name|VideoSourceMode)|"
    ".*(ChannelState(Desc)?|CallerID(Num|Name)|ConnectedLine(Num|Name)|Language|AccountCode|Context|Exten|Priority|"
    "Linkedid)"
)
_NOT_DULL: Final[Mapping[str, tuple[str, ...]]] = {
    "Newchannel": ("CallerIDNum", "Exten", "Context"),
    "Newstate": ("ChannelStateDesc",),
    "NewCallerid": ("CallerIDNum", "CallerIDName"),
    "NewConnectedLine": ("ConnectedLineNum", "ConnectedLineName"),
    "CoreShowChannel": ("ChannelStateDesc", "CallerIDNum", "Exten"),
}


def lines(record: Record) -> Iterator[str]:
    """What a person reads of it."""
    when, place = unix(record.timestamp / 1000), f"{record.partition}:{record.offset}"
    key = (record.key or b"").decode(errors="backslashreplace")
    width = 36 if record.topic == topics.RESULTS.name else 20
    try:
        told = _read(record)
    except BadMessageError as error:
        told = [(None, f"unreadable: {error}: {_start(record.value)}")]
    for at, text in told:
        yield harmless(f"{_clock(at or when):<18}  {place:<9} {key:<{width}}  {text}".rstrip())


def json_lines(record: Record) -> Iterator[str]:
    """What a program reads of it: the value as it is, `value_b64` if it is no JSON; `error` if it is no message."""
    facts: dict[str, Any] = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "at": unix(record.timestamp / 1000),
        "key": None if record.key is None else record.key.decode(errors="backslashreplace"),
        "headers": _headers(record),
    }
    value = b"null" if record.value is None else record.value
    try:
        msgspec.json.decode(value)
        facts["value"] = msgspec.Raw(msgspec.json.format(value, indent=-1))
    except codec.UNREADABLE:
        facts["value_b64"] = b64encode(value).decode()
    try:
        _read(record)
    except BadMessageError as error:
        facts["error"] = str(error)
    yield msgspec.json.encode(facts).decode()


def belongs(record: Record, pbx: str) -> bool:
    """By its header, its key, or its value: dead letters and commands of others need not have all three."""
    key = (record.key or b"").decode(errors="replace").partition("|")[0]
    return pbx in {key, _headers(record).get("pbx")} or pbx == _named(record.value)


class _Named(msgspec.Struct):
    pbx: str


def _named(value: bytes | None) -> str | None:
    try:
        return msgspec.json.decode(value or b"", type=_Named).pbx
    except codec.UNREADABLE:
        return None


def _read(record: Record) -> list[tuple[datetime | None, str]]:
    """(when, if not at the time of the record; what). BadMessageError."""
    if record.topic.endswith(".dlq"):
        return [(None, _letter(record))]
    if record.value is None:
        return [(None, "gone")]
    if record.topic == topics.RAW.name:
        entries = codec.decode_raw(record.value).entries
        return [(entry.at or entry.received_at, _entry(entry)) for entry in entries]
    if record.topic == topics.CHECKPOINTS.name:
        return [(None, _checkpoint(record.key or b"", record.value))]
    return [(None, _TELLERS[record.topic](record.value))]


def _entry(entry: raw.Entry) -> str:
    return f"{entry.seq:>8}  {entry.__struct_config__.tag:<16} {_said(entry)}"


def _said(entry: raw.Entry) -> str:
    match entry:
        case raw.Event():
            flags = f"({', '.join(entry.flags)})" if entry.flags else ""
            text = _joined("  ", f"{entry.name:<18} {_event(entry.name, entry.fields)}", flags)
        case raw.SnapshotChannel() | raw.SnapshotItem():
            text = _event(getattr(entry, "name", "CoreShowChannel"), entry.fields)
        case raw.ConnectionUp():
            text = _joined("  ", entry.banner, _booted(entry.boot))
        case raw.ConnectionDown():
            text = _joined(": ", entry.reason, entry.detail)
        case raw.Heartbeat():
            text = f"{entry.state:<18} offset {_milliseconds(entry.offset)}  rtt {_milliseconds(entry.rtt)}"
        case raw.Gap():
            text = f"{entry.reason}: nobody listened since {_clock(entry.since)}"
        case raw.Drop():
            text = _joined("  ", f"{entry.reason}: {entry.count}", entry.name, f"{entry.size:,} bytes")
        case raw.SnapshotBegin():
            text = f"as of {_clock(entry.watermark)}"
        case raw.SnapshotEnd():
            text = f"{entry.channels} channels, {'complete' if entry.complete else 'incomplete'}"
    return text


def _event(name: str, fields: Fields) -> str:
    """Its channel, and the first headers that say something."""
    channel = _joined(" ", *(_text(fields.get(each, "")) for each in ("Channel", "Uniqueid")))
    spoken = (*_NOT_DULL.get(name, ()), *(each for each in fields if not _DULL.fullmatch(each)))
    shown = [f"{each}={_text(fields[each])}" for each in spoken if fields.get(each)][:_HEADERS]
    return _joined("  ", f"{channel:<35}" if channel else "", *shown)


def _text(value: str | list[str]) -> str:
    text = value if isinstance(value, str) else ", ".join(value)
    return text if len(text) <= _VALUE else f"{text[: _VALUE - 1]}…"


def _live_leg(value: bytes) -> str:
    leg = codec.decode_leg(value)
    since = {"ringing": leg.ring, "talking": leg.answer}.get(leg.state) or leg.start
    return _joined("  ", f"{leg.state:<8}", _parties(leg), f"since {_clock(since)}", _flags(leg))


def _finished_leg(value: bytes) -> str:
    leg = codec.decode_leg(value)
    outcome = f"billsec {leg.billsec:>7.1f}  {leg.end_reason or leg.state}"
    return _joined("  ", f"{leg.disposition or '-':<9}", _parties(leg), outcome, _flags(leg))


def _parties(leg: Leg) -> str:
    return f"{_joined(' -> ', leg.src or '-', leg.dst or '-'):<20}  phone {leg.dstdevice or '-':<10}"


def _flags(leg: Leg) -> str:
    found: dict[str, bool | str] = msgspec.to_builtins(leg.flags)
    return ", ".join(name if value is True else f"{name}={value}" for name, value in found.items())


def _status(value: bytes) -> str:
    status = codec.decode_status(value)
    if isinstance(status, IngestStatus):
        gap = f"last gap {_clock(status.last_gap)}" if status.last_gap else ""
        state = f"{status.state:<4}  since {_clock(status.since)}"
        version = f"Asterisk {status.asterisk}" if status.asterisk else ""
        return _joined("  ", state, status.reason, version, _booted(status.boot), gap)
    suspect = f"suspect since {_clock(status.suspect_since)}" if status.suspect_since else ""
    counts = f"{status.live_legs} live legs  {status.late_entries} late entries"
    return _joined("  ", f"lag {status.lag:.3f} s", counts, suspect)


def _owner(value: bytes) -> str:
    owner = codec.decode_owner(value)
    return f"epoch {owner.epoch}  {owner.worker}  process {owner.process}  {_booted(owner.boot)}"


def _command(value: bytes) -> str:
    command = codec.decode_command(value)
    who = f"{command.issuer}/{command.actor}"
    match command:
        case Hangup(args=args):
            what = f"hangup  leg {args.leg_id} {args.side}"
        case Originate(args=args):
            what = f"originate  {args.endpoint} then {args.exten}@{args.context}"
        case _:
            assert_never(command)
    return _joined("  ", command.command_id, what, who, f"until {_clock(command.not_after)}")


def _result(value: bytes) -> str:
    """Its key is the id."""
    result = codec.decode_result(value)
    channels = f"[{', '.join(result.uniqueids)}]" if result.uniqueids else ""
    return _joined("  ", f"{result.state:<8}", result.reason, result.message, channels)


def _checkpoint(key: bytes, value: bytes) -> str:
    """BadMessageError. Both kinds are private to the projector: msgpack of a PBX, JSON of a cursor."""
    if not key.startswith(b"cursor|"):
        return f"state of the fold, {len(value):,} bytes"
    return "  ".join(f"{name} {offset}" for name, offset in codec.decode_as(value, dict[str, int]).items())


def _letter(record: Record) -> str:
    about = _headers(record)
    source = f"{about.get('topic', '?')} {about.get('partition', '?')}:{about.get('offset', '?')}"
    entry = f"entry {about['entry']}" if about.get("entry") else ""
    return _joined("  ", about.get("reason", "no reason"), f"of {source}", entry, _start(record.value))


_TELLERS: Final[Mapping[str, Callable[[bytes], str]]] = {
    topics.OWNERS.name: _owner,
    topics.STATUS.name: _status,
    topics.LEGS.name: _live_leg,
    topics.CDR.name: _finished_leg,
    topics.COMMANDS.name: _command,
    topics.RESULTS.name: _result,
}


def _headers(record: Record) -> dict[str, str]:
    """A value may be null, whatever the types say."""
    return {name: (value or b"").decode(errors="backslashreplace") for name, value in record.headers}


def unix(seconds: float) -> datetime | None:
    """None for what lies beyond the calendar: any integer may be in a record."""
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    except OverflowError:
        return None


def _clock(at: datetime | None) -> str:
    try:
        utc = at.astimezone(UTC) if at else None
    except OverflowError:
        utc = None
    return f"{utc:%m-%d %H:%M:%S}.{utc.microsecond // 1000:03}" if utc else "?"


def _booted(boot: int | None) -> str:
    at = None if boot is None else unix(boot)
    return f"boot {at:%Y-%m-%d %H:%M:%S}" if at else ""


def _milliseconds(value: float | None) -> str:
    return "?" if value is None else f"{value * 1000:.1f} ms"


def _start(value: bytes | None) -> str:
    value = value or b""
    return value[:_START].decode(errors="backslashreplace") + ("…" if len(value) > _START else "")


def _joined(between: str, *texts: str | None) -> str:
    return between.join(text for text in texts if text)


def harmless(line: str) -> str:
    """Nothing in it moves the cursor or ends the line."""
    spelt = (each if each.isprintable() else repr(each)[1:-1] for each in line)
    return line if line.isprintable() else "".join(spelt)
