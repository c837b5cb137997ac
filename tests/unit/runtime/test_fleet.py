from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from legbook.runtime import fleet
from legbook.runtime.fleet import FleetError, Pbx
from legbook.runtime.stop import CannotStartError

WHOLE = """
[pbx.hq]
number = 0
host = "10.0.0.5"
port = 5039
tls = true
timezone = "Europe/Berlin"
inbound_contexts = ["from-trunk"]
ingest  = { username = "legbook_ingest",  secret_env = "HQ_SECRET" }
gateway = { username = "legbook_gateway", secret_file = "/run/secrets/hq" }
policy  = { contexts = ["from-internal"], endpoints = ["PJSIP/*"] }

[pbx.branch-2_b]
number = 4095
host = "pbx.example"
"""
SMALL = """
[pbx.hq]
number = 1
host = "h"
"""
INGEST = 'ingest = { username = "u", secret_env = "HQ_SECRET" }'


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "fleet.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def loaded(folder: Path, text: str) -> Mapping[str, Pbx]:
    return fleet.load(write(folder, text))


def refused(folder: Path, text: str | bytes) -> str:
    """One line without a secret, that names the file."""
    path = write(folder, text)
    with pytest.raises(FleetError) as caught:
        fleet.load(path)
    assert isinstance(caught.value, CannotStartError)
    told = str(caught.value)
    assert told.startswith(f"fleet file {path}: ")
    assert "hunter2" not in told
    return told.removeprefix(f"fleet file {path}: ")


def test_a_file_with_everything(tmp_path: Path) -> None:
    pbxs = loaded(tmp_path, WHOLE)
    assert list(pbxs) == ["hq", "branch-2_b"]
    hq, branch = pbxs["hq"], pbxs["branch-2_b"]
    assert (hq.number, hq.host, hq.port, hq.tls) == (0, "10.0.0.5", 5039, True)
    assert hq.zone == ZoneInfo("Europe/Berlin")
    assert (branch.number, branch.port, branch.tls, branch.timezone) == (4095, 5038, False, "UTC")
    assert branch.inbound_contexts == ["from-trunk", "from-did", "from-pstn"]
    assert (branch.ingest, branch.gateway, branch.policy.contexts) == (None, None, [])


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("colour = 5", "colour"),
        ("number = 4096", "number"),
        ("number = -1", "number"),
        ('number = "1"', "number"),
        ("number = 1.0", "number"),
        ("number = true", "number"),
        ('host = ""', "host"),
        ("host = 5", "host"),
        ("port = 0", "port"),
        ("port = 70000", "port"),
        ("port = 65536", "port"),
        ('port = "5038"', "port"),
        ('timezone = "Europe/Atlantis"', "timezone"),
        ('timezone = ""', "timezone"),
        ('timezone = "../../etc/passwd"', "timezone"),
        ('timezone = "/etc/localtime"', "timezone"),
        ("timezone = 1", "timezone"),
        ('tls = "yes"', "tls"),
        ("tls = 1", "tls"),
        ('inbound_contexts = "from-trunk"', "inbound_contexts"),
        ("inbound_contexts = [1]", "inbound_contexts.0"),
        ('ingest = "legbook"', "ingest"),
        ("ingest = {}", "ingest.username"),
        ('ingest = { username = "", secret_env = "X" }', "ingest.username"),
        ('ingest = { username = "u" }', "ingest"),
        ('ingest = { username = "u", secret_env = "X", secret_file = "x" }', "ingest"),
        ('ingest = { username = "u", secret = "hunter2" }', "ingest.secret"),
        ('gateway = { username = "u", secret_env = "X", secret_file = "x" }', "gateway"),
        ('gateway = { username = "u", password = "hunter2" }', "gateway.password"),
        ("policy = { context = [] }", "policy.context"),
        ('policy = { endpoints = "PJSIP/*" }', "policy.endpoints"),
    ],
)
def test_a_wrong_value_is_told_with_its_pbx_and_key(tmp_path: Path, line: str, place: str) -> None:
    key = line.partition(" =")[0]
    lines = [known for known in SMALL.splitlines() if not known.startswith(key)]
    told = refused(tmp_path, "\n".join([*lines, line]))
    assert f"pbx.hq.{place}: " in told
    assert "\n" not in told
    assert told.count("pbx.hq.") == told.count("; ") + 1


@pytest.mark.parametrize("key", ["number", "host"])
def test_what_is_missing_is_told(tmp_path: Path, key: str) -> None:
    lines = [line for line in SMALL.splitlines() if not line.startswith(key)]
    assert refused(tmp_path, "\n".join(lines)) == f"pbx.hq.{key}: Field required"


def test_several_wrong_values_are_told_at_once(tmp_path: Path) -> None:
    told = refused(tmp_path, SMALL + 'port = 0\n[pbx.b]\nhost = ""\nnumber = 2\n')
    assert "pbx.hq.port: " in told
    assert "pbx.b.host: " in told


@pytest.mark.parametrize(
    "name", ["HQ", "h q", "-hq", "_hq", "h.q", "ü", "", "a" * 33, "hq\\n", "hq|x", "hq/x"]
)
def test_a_bad_name_of_a_pbx_is_told(tmp_path: Path, name: str) -> None:
    told = refused(tmp_path, f'[pbx."{name}"]\nnumber = 1\nhost = "h"\n')
    assert told.startswith("pbx.")
    assert "match pattern" in told


@pytest.mark.parametrize("name", ["a", "0", "a" * 32, "a-b_c-"])
def test_good_names(tmp_path: Path, name: str) -> None:
    assert list(loaded(tmp_path, f'[pbx.{name}]\nnumber = 1\nhost = "h"\n')) == [name]


def test_a_number_of_two_pbxs_is_told_with_both(tmp_path: Path) -> None:
    told = refused(tmp_path, SMALL + '[pbx.b]\nnumber = 1\nhost = "h"\n')
    assert told == "pbx.b.number: 1 is also the number of pbx.hq"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "pbx: Field required"),
        ("[pbxs.hq]\nnumber = 1", "pbxs: Extra inputs are not permitted"),
        ('pbx = "hq"', "pbx: Input should be a valid dictionary"),
        ("[pbx]\nhq = 5", "pbx.hq: Input should be a valid dictionary"),
    ],
)
def test_a_file_of_another_shape(tmp_path: Path, text: str, told: str) -> None:
    assert told in refused(tmp_path, text)


def test_a_syntax_error_is_told_with_its_line(tmp_path: Path) -> None:
    assert "line 4" in refused(tmp_path, '[pbx.hq]\nnumber = 1\nhost = "h"\nport = \n')
    assert "line 5" in refused(tmp_path, SMALL + "host = \n")
    assert "pbx.hq" not in refused(tmp_path, SMALL + 'secret = "hunter2\n')


def test_a_key_or_table_twice_is_told(tmp_path: Path) -> None:
    assert "line" in refused(tmp_path, SMALL + 'host = "other"\n')
    assert "line" in refused(tmp_path, SMALL + SMALL)


def test_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    refused(tmp_path, SMALL.encode() + b"# \xfc\n")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "none.toml"
    with pytest.raises(FleetError) as caught:
        fleet.load(path)
    assert (
        str(caught.value) == f"fleet file {path}: No such file or directory; LEGBOOK_FLEET says where it is"
    )
    with pytest.raises(FleetError, match="Is a directory; LEGBOOK_FLEET"):
        fleet.load(tmp_path)


def login_of(folder: Path, line: str) -> tuple[str, str]:
    return fleet.ingest_login("hq", loaded(folder, SMALL + line)["hq"])


def login_refused(folder: Path, line: str) -> str:
    with pytest.raises(FleetError) as caught:
        login_of(folder, line)
    told = str(caught.value)
    assert told.startswith("pbx.hq.ingest")
    assert "hunter" not in told
    assert "\n" not in told
    return told.removeprefix("pbx.hq.ingest")


def test_a_secret_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HQ_SECRET", " hunter2: ü ")
    assert login_of(tmp_path, INGEST) == ("u", " hunter2: ü ")


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
def test_a_secret_from_a_file_may_end_with_a_line_end(tmp_path: Path, end: str) -> None:
    (tmp_path / "secret").write_bytes(f" hunter 2 {end}".encode())
    line = f'ingest = {{ username = "u", secret_file = "{tmp_path / "secret"}" }}'
    assert login_of(tmp_path, line) == ("u", " hunter 2 ")


def test_a_secret_that_is_not_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HQ_SECRET", raising=False)
    assert login_refused(tmp_path, INGEST) == ".secret_env: HQ_SECRET is not set"
    monkeypatch.setenv("HQ_SECRET", "")
    assert login_refused(tmp_path, INGEST) == ".secret_env: HQ_SECRET is not set"


@pytest.mark.parametrize(
    "secret", ["hunter\nhunter2", "hunter2\n", "hunter2\r\nX: y", "hunter2\x01", "hunter2\u2028"]
)
def test_a_secret_that_could_end_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    monkeypatch.setenv("HQ_SECRET", secret)
    assert login_refused(tmp_path, INGEST).startswith(".Secret: control character")


def test_a_secret_that_is_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HQ_SECRET", "hunter2" * 200)
    assert ".Secret: the line is 1408 bytes long" in login_refused(tmp_path, INGEST)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "No such file or directory: {}"),
        (b"hunter\nhunter2\n", "control character '\\n' at position 6"),
        (b"", "empty: {}"),
        (b"\n", "empty: {}"),
        (b"\xffhunter2", "not UTF-8: {}"),
    ],
)
def test_a_file_with_no_usable_secret(tmp_path: Path, content: bytes | None, told: str) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    line = f'ingest = {{ username = "u", secret_file = "{path}" }}'
    assert told.format(path) in login_refused(tmp_path, line)


def test_a_secret_file_that_is_a_folder(tmp_path: Path) -> None:
    line = f'ingest = {{ username = "u", secret_file = "{tmp_path}" }}'
    assert login_refused(tmp_path, line) == f".secret_file: Is a directory: {tmp_path}"


def test_a_bad_username_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HQ_SECRET", "hunter2")
    line = 'ingest = { username = "u\\nv", secret_env = "HQ_SECRET" }'
    assert login_refused(tmp_path, line).startswith(".Username: control character")


def test_a_pbx_without_a_login(tmp_path: Path) -> None:
    assert login_refused(tmp_path, "").startswith(": missing; give username and secret_file or secret_env")


def test_no_secret_is_in_what_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HQ_SECRET", "hunter2")
    assert "hunter2" not in repr(loaded(tmp_path, WHOLE))
