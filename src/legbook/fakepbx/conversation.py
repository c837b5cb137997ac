"""The course of one AMI connection: banner, login, actions one after the other, goodbye."""

import asyncio
import contextlib

from legbook.fakepbx.actions import Action, read_action
from legbook.fakepbx.masks import parse_mask
from legbook.fakepbx.moments import to_datetime
from legbook.fakepbx.session import Session, encode
from legbook.fakepbx.switch import Switch
from legbook.fakepbx.users import login

_WRONG_LOGIN = 1.0  # seconds that Asterisk lets a wrong login wait for its answer


async def converse(switch: Switch, session: Session, reader: asyncio.StreamReader) -> None:
    """Returns when either side has ended the connection."""
    session.write(switch.settings.banner.encode() + b"\r\n")
    with contextlib.suppress(ConnectionError):
        while not session.leaving and (action := await read_action(reader)) is not None:
            user = session.user.username if session.user else action.get("Username")
            switch.actions.add(action, session.number, user, to_datetime(switch.clock.now()))
            await _answer(switch, session, action)
            await session.drain()


async def _answer(switch: Switch, session: Session, action: Action) -> None:
    name = action.name.lower()
    handler = switch.handlers.get(name)
    if action.fault:
        session.error(action, action.fault)
    elif not name:
        session.error(action, "Missing action in request")
    elif name == "logoff":
        session.reply(action, "Goodbye", ("Message", "Thanks for all the fish."))
        session.leaving = True
    elif name == "login":
        await _login(switch, session, action)
    elif session.user is None or not session.user.may(name):
        session.error(action, "Permission denied")
    elif handler is not None:
        await handler(switch, session, action)
    else:
        session.error(
            action,
            f"Invalid/unknown command: {action.name}. Use Action: ListCommands to show available commands.",
        )


async def _login(switch: Switch, session: Session, action: Action) -> None:
    if session.user is not None:
        session.reply(action, "Success", ("Message", "Already authenticated"))
        return
    user = login(switch.settings.users, action.get("Username"), action.get("Secret"))
    if user is None:
        await switch.clock.source.sleep(_WRONG_LOGIN)
        session.error(action, "Authentication failed")
        session.leaving = True
        return
    session.log_in(user, parse_mask(action.get("Events")))
    session.reply(action, "Success", ("Message", "Authentication accepted"))
    if "system" in session.mask:
        session.write(_fully_booted(str(switch.clock.uptime())))
    switch.on_login(session)


def _fully_booted(uptime: str) -> bytes:
    """Written by the login itself, so without a Timestamp."""
    return encode(
        [
            ("Event", "FullyBooted"),
            ("Privilege", "system,all"),
            ("Uptime", uptime),
            ("LastReload", uptime),
            ("Status", "Fully Booted"),
        ]
    )
