"""A fake Asterisk PBX: speaks AMI, plays recordings of real ones with fresh identities, and knows the truth."""

from legbook.fakepbx.actions import Action, ActionLog, LoggedAction
from legbook.fakepbx.clock import Speed, TimeSource
from legbook.fakepbx.expected import TableError
from legbook.fakepbx.recording import Recording, RecordingError, load
from legbook.fakepbx.server import FakePbx
from legbook.fakepbx.session import Session
from legbook.fakepbx.switch import Handler, Switch
from legbook.fakepbx.truth import ExpectedLeg, NoTableError, State, Truth
from legbook.fakepbx.users import User

__all__ = [
    "Action",
    "ActionLog",
    "ExpectedLeg",
    "FakePbx",
    "Handler",
    "LoggedAction",
    "NoTableError",
    "Recording",
    "RecordingError",
    "Session",
    "Speed",
    "State",
    "Switch",
    "TableError",
    "TimeSource",
    "Truth",
    "User",
    "load",
]
