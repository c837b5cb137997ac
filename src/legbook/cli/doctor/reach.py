"""Why a PBX could not be reached or did not let us in, in words that say what to look at. Pure."""

import socket
import ssl
from typing import Final

from legbook.cli.doctor.finding import Finding, fail
from legbook.runtime.amilink import LinkError
from legbook.runtime.fleet import Pbx

_LISTEN: Final = (
    "manager.conf on the PBX: enabled = yes, bindaddr, port; then: asterisk -rx 'manager show settings'"
)


def unreachable(pbx: Pbx, error: OSError) -> Finding:
    """TCP did not come about."""
    where = f"{pbx.host}:{pbx.port}"
    if isinstance(error, socket.gaierror):
        return fail(f"no address for {pbx.host}: {error.strerror}", "host in the fleet file, or DNS")
    if isinstance(error, ConnectionRefusedError):
        return fail(f"{where} refuses: nothing listens there", _LISTEN)
    if isinstance(error, TimeoutError):
        return fail(
            f"{where} does not answer: the address is wrong, the PBX is off, or a firewall drops packets",
            "host and port in the fleet file; on the PBX, let this machine through to that port",
        )
    return fail(f"{where}: {error.strerror or error}", "host and port in the fleet file, and the route to it")


def unwelcome(pbx: Pbx, role: str, username: str, error: LinkError) -> Finding:
    """TCP came about; the login did not."""
    cause = error.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return fail(
            f"{role}: certificate refused: {cause.verify_message}",
            f"one for {pbx.host} by a CA that this machine knows (SSL_CERT_FILE names more)",
        )
    if isinstance(cause, ssl.SSLError):
        return fail(
            f"{role}: no TLS on port {pbx.port}",
            "port of tlsbindaddr in manager.conf (5039), or tls = false in the fleet file",
        )
    if isinstance(cause, TimeoutError) and not pbx.tls:
        return fail(
            f"{role}: {error}", "does that port want TLS (tls = true)? Or does Asterisk start or hang?"
        )
    if error.reason == "login":
        return _refused(role, username, str(error))
    if error.reason == "no_greeting":
        return fail(f"{role}: {error}", f"is {pbx.port} the port of AMI? {_LISTEN}")
    return fail(f"{role}: {error}", "run this again; the PBX's log (asterisk -rvvv) says why it went")


def _refused(role: str, username: str, text: str) -> Finding:
    if "in use" in text.lower():
        return fail(
            f"{role}: {text}",
            f"allowmultiplelogin = yes in manager.conf: else one dead link of {username} locks it out",
        )
    return fail(
        f"{role}: {text}",
        f"Asterisk does not say which: is there a section [{username}], is its secret ours, does its permit "
        "let this machine in? Then: asterisk -rx 'manager reload'",
    )
