"""Why a PBX is not reached, or does not let us in: each cause has its own words and its own way out."""

import socket
import ssl

import pytest

from legbook.cli.doctor.finding import Level
from legbook.cli.doctor.reach import unreachable, unwelcome
from legbook.contracts.raw import Down
from legbook.runtime.amilink import LinkError
from legbook.runtime.fleet import Pbx

PLAIN = Pbx(number=1, host="pbx.example")
TLS = Pbx(number=1, host="pbx.example", port=5039, tls=True)


@pytest.mark.parametrize(
    ("error", "seen", "todo"),
    [
        (socket.gaierror(-2, "Name or service not known"), "no address for pbx.example", "DNS"),
        (ConnectionRefusedError(111, "Connection refused"), "refuses: nothing listens there", "bindaddr"),
        (TimeoutError(), "does not answer", "let this machine through"),
        (OSError(113, "No route to host"), "No route to host", "the route to it"),
    ],
)
def test_tcp(error: OSError, seen: str, todo: str) -> None:
    finding = unreachable(PLAIN, error)

    assert finding.level is Level.fail
    assert seen in finding.seen
    assert todo in finding.todo


def _error(reason: Down, text: str, cause: Exception | None = None) -> LinkError:
    error = LinkError(reason, text)
    error.__cause__ = cause
    return error


def _untrusted() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "self-signed certificate"
    return error


@pytest.mark.parametrize(
    ("pbx", "error", "seen", "todo"),
    [
        (
            PLAIN,
            _error("login", "login of 'u' refused: Authentication failed"),
            "Authentication failed",
            "permit",
        ),
        (
            PLAIN,
            _error("login", "login of 'u' refused: Login Already In Use"),
            "In Use",
            "allowmultiplelogin",
        ),
        (PLAIN, _error("connect", "no login within 10 s", TimeoutError()), "no login within", "tls = true"),
        (PLAIN, _error("no_greeting", "not an AMI server, it said 'SSH-2.0'"), "SSH-2.0", "the port of AMI?"),
        (PLAIN, _error("closed", "closed by the PBX"), "closed by the PBX", "run this again"),
        (TLS, _error("connect", "x", _untrusted()), "self-signed certificate", "SSL_CERT_FILE"),
        (
            TLS,
            _error("connect", "x", ssl.SSLError(1, "WRONG_VERSION_NUMBER")),
            "no TLS on port 5039",
            "tlsbindaddr",
        ),
    ],
)
def test_login(pbx: Pbx, error: LinkError, seen: str, todo: str) -> None:
    finding = unwelcome(pbx, "ingest", "u", error)

    assert finding.level is Level.fail
    assert finding.seen.startswith("ingest: ")
    assert seen in finding.seen
    assert todo in finding.todo
