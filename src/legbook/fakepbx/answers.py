"""Answers to the actions that need a login, word for word as Asterisk 16 and 22 gave them in recordings."""

from typing import Final

from legbook.fakepbx.actions import Action
from legbook.fakepbx.causes import parse_cause
from legbook.fakepbx.clicks import Click
from legbook.fakepbx.listing import LIST_HANDLERS
from legbook.fakepbx.masks import parse_mask
from legbook.fakepbx.moments import to_ami, to_datetime
from legbook.fakepbx.session import Session
from legbook.fakepbx.switch import Handler, Switch
from legbook.fakepbx.users import needs


async def ping(switch: Switch, session: Session, action: Action) -> None:
    timestamp = to_ami(switch.clock.now()).decode()
    session.reply(action, "Success", ("Ping", "Pong"), ("Timestamp", timestamp))


async def events(_switch: Switch, session: Session, action: Action) -> None:
    mask = parse_mask(action.get("EventMask"))
    if mask is None:
        session.error(action, "Invalid event mask")
        return
    session.want(mask)
    session.reply(action, "Success", ("Events", "On" if mask else "Off"))


async def core_status(switch: Switch, session: Session, action: Action) -> None:
    boot = to_datetime(switch.clock.boot)
    date, time = f"{boot:%Y-%m-%d}", f"{boot:%H:%M:%S}"
    headers = [
        ("CoreStartupDate", date),
        ("CoreStartupTime", time),
        ("CoreReloadDate", date),
        ("CoreReloadTime", time),
        ("CoreCurrentCalls", str(len(switch.channels.live))),
    ]
    if switch.settings.major > 16:
        headers.append(("CoreProcessedCalls", str(switch.channels.created)))
    session.reply(action, "Success", *headers)


async def core_settings(switch: Switch, session: Session, action: Action) -> None:
    headers = [
        ("AMIversion", switch.settings.ami_version),
        ("AsteriskVersion", switch.settings.asterisk),
        ("SystemName", switch.settings.system_name),
        ("CoreMaxCalls", "0"),
        ("CoreMaxLoadAvg", "0.000000"),
        ("CoreRunUser", ""),
        ("CoreRunGroup", ""),
        ("CoreMaxFilehandles", "0"),
        ("CoreRealTimeEnabled", "No"),
        ("CoreCDRenabled", "Yes"),
        ("CoreHTTPenabled", "No"),
    ]
    if switch.settings.major > 16:
        headers.append(("SoundsSearchCustomDir", "No"))
    session.reply(action, "Success", *headers)


async def hangup(switch: Switch, session: Session, action: Action) -> None:
    """The answer goes first: Asterisk says what an action has caused after its response."""
    name = action.get("Channel")
    uniqueid = switch.channels.find(name)
    if not name:
        session.error(action, "No channel specified")
    elif uniqueid is None:
        session.error(action, "No such channel")
    else:
        session.reply(action, "Success", ("Message", "Channel Hungup"))
        switch.hang_up(uniqueid, parse_cause(action.get("Cause")))


async def originate(switch: Switch, session: Session, action: Action) -> None:
    """As in 15a to 15h. A uniqueid that is in use, or a phone that is not there, shows in the event only."""
    endpoint = action.get("Channel")
    if not endpoint:
        session.error(action, "Channel not specified")
    elif "/" not in endpoint:
        session.error(action, "Invalid channel")
    elif not (action.get("Exten") and action.get("Context") and action.get("Priority")):
        session.error(action, "Originate with 'Exten' requires 'Context' and 'Priority'")
    elif action.get("Async") not in {"true", "1", "yes"}:
        session.error(action, "Originate failed")  # nothing here waits for a phone
    else:
        session.reply(action, "Success", ("Message", "Originate successfully queued"))
        click = Click(action.get("ActionID"), action.get("ChannelId"))
        taken = click.channel_id in switch.channels.live
        if taken or not switch.originate(endpoint, action.get("Exten"), click):
            _not_originated(switch, action)


def _not_originated(switch: Switch, action: Action) -> None:
    """Recording 15h."""
    switch.emit(
        "OriginateResponse",
        "call,all",
        [
            ("ActionID", action.get("ActionID")),
            ("Response", "Failure"),
            ("Channel", action.get("Channel")),
            ("Context", action.get("Context")),
            ("Exten", action.get("Exten")),
            ("Reason", "0"),
            ("Uniqueid", "<unknown>"),
            ("CallerIDNum", "<unknown>"),
            ("CallerIDName", "<unknown>"),
        ],
    )


async def list_commands(_switch: Switch, session: Session, action: Action) -> None:
    """Those of ours that this user may do, each with the classes of which one is enough."""
    may = session.user.may if session.user else lambda _: False
    lines = [
        (name, f"{name}.  (Priv: {','.join([*sorted(classes), 'all']) if classes else '<none>'})")
        for name in _SPELT
        if may(name.lower())
        for classes in [needs(name.lower())]
    ]
    session.reply(action, "Success", *lines)


_SPELT: Final = (
    *("BridgeInfo", "BridgeList", "CoreSettings", "CoreShowChannels", "CoreStatus", "Events", "Hangup"),
    *("ListCommands", "Originate", "ParkedCalls", "Ping", "QueueStatus", "Status"),
)
HANDLERS: dict[str, Handler] = {
    "ping": ping,
    "events": events,
    "corestatus": core_status,
    "coresettings": core_settings,
    "hangup": hangup,
    "listcommands": list_commands,
    "originate": originate,
    **LIST_HANDLERS,
}
