"""The configuration of the laboratory PBX, FreePBX in small: which file holds what."""

from dataclasses import dataclass
from pathlib import Path

from tests.asterisk import cdr
from tests.asterisk.installation import Installation

EXTENSIONS = ("201", "202", "203")
TRUNK = "sipto45"

MODULES = """
pbx_config app_dial app_queue app_verbose app_playback app_stack
func_callerid func_cdr func_channel func_global func_logic func_strings
res_cdrel_custom cdr_custom cdr_manager
chan_pjsip res_pjproject res_pjsip res_pjsip_session res_pjsip_pubsub res_pjsip_sdp_rtp
res_pjsip_caller_id res_pjsip_refer
res_pjsip_rfc3326 res_pjsip_dtmf_info res_pjsip_endpoint_identifier_ip res_pjsip_endpoint_identifier_user
res_sorcery_config res_sorcery_memory res_sorcery_astdb
res_rtp_asterisk res_timing_timerfd res_musiconhold
bridge_simple bridge_softmix bridge_holding bridge_builtin_features bridge_native_rtp
codec_ulaw codec_gsm format_pcm format_gsm
""".split()  # noqa: SIM905  (a list of 40 lines says less)

_EMPTY = (
    "acl.conf",
    "ccss.conf",
    "cel.conf",
    "features.conf",
    "indications.conf",
    "queuerules.conf",
    "udptl.conf",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What differs from one laboratory to the next."""

    folder: Path
    installation: Installation
    ami_port: int
    sip_port: int
    phone_ports: dict[str, int]
    ingest_secret: str
    gateway_secret: str


def write(settings: Settings) -> Path:
    """Write every file under the folder; the asterisk.conf to start with is returned."""
    for name in ("etc", "var", "spool", "run", "log/cdr-custom"):
        (settings.folder / name).mkdir(parents=True, exist_ok=True)
    etc = settings.folder / "etc"
    for name, text in _files(settings).items():
        (etc / name).write_text(text.lstrip(), encoding="utf-8")
    return etc / "asterisk.conf"


def _files(settings: Settings) -> dict[str, str]:
    return {
        "asterisk.conf": _asterisk(settings),
        "modules.conf": "[modules]\nautoload = no\n" + "".join(f"require = {name}.so\n" for name in MODULES),
        "logger.conf": "[general]\n[logfiles]\nfull => notice,warning,error,verbose\n",
        "manager.conf": _manager(settings),
        "cdr.conf": "[general]\nenable = yes\nunanswered = yes\ncongestion = yes\nendbeforehexten = no\n",
        "cdr_custom.conf": f"[mappings]\n{cdr.mapping()}\n",
        "cdr_manager.conf": "[general]\nenabled = yes\n",
        "rtp.conf": "[general]\nrtpstart = 20000\nrtpend = 29998\n",
        "musiconhold.conf": _music(settings),
        "pjproject.conf": "[startup]\nlog_level = 2\n",
        "pjsip.conf": _pjsip(settings),
        "queues.conf": _queues(),
        "extensions.conf": _EXTENSIONS_CONF,
    } | dict.fromkeys(_EMPTY, "")


def _asterisk(settings: Settings) -> str:
    folder, installation = settings.folder, settings.installation
    return f"""
[directories]
astetcdir => {folder}/etc
astmoddir => {installation.modules}
astvarlibdir => {folder}/var
astdbdir => {folder}/var
astkeydir => {folder}/var
astcachedir => {folder}/var
astdatadir => {installation.data}
astagidir => {folder}/var/agi-bin
astspooldir => {folder}/spool
astrundir => {folder}/run
astlogdir => {folder}/log
[options]
verbose = 3
nocolor = yes
defaultlanguage = en
documentation_language = en_US
"""


def _manager(settings: Settings) -> str:
    return f"""
[general]
enabled = yes
webenabled = no
bindaddr = 127.0.0.1
port = {settings.ami_port}
displayconnects = no
timestampevents = yes
allowmultiplelogin = yes
[legbook_ingest]
secret = {settings.ingest_secret}
read = system,call,agent,user,cdr,dialplan
write = reporting
writetimeout = 5000
[legbook_gateway]
secret = {settings.gateway_secret}
read = call
eventfilter = Event: Hangup
eventfilter = Event: OriginateResponse
write = call,originate
writetimeout = 5000
"""


def _music(settings: Settings) -> str:
    return f"[default]\nmode = files\ndirectory = {settings.installation.data}/sounds/en/silence\n"


def _pjsip(settings: Settings) -> str:
    ports = settings.phone_ports
    return f"""
[global]
type = global
endpoint_identifier_order = username,ip
[udp]
type = transport
protocol = udp
bind = 127.0.0.1:{settings.sip_port}
[endpoint](!)
type = endpoint
disallow = all
allow = ulaw
direct_media = no
dtmf_mode = info
media_address = 127.0.0.1
bind_rtp_to_media_address = yes
[phone](!,endpoint)
context = from-internal
device_state_busy_at = 1
[{TRUNK}](endpoint)
context = from-trunk
aors = {TRUNK}
[{TRUNK}]
type = aor
contact = sip:127.0.0.1:{ports[TRUNK]}
[{TRUNK}]
type = identify
endpoint = {TRUNK}
match = 127.0.0.1
{"".join(_pjsip_phone(number, ports[number]) for number in EXTENSIONS)}"""


def _pjsip_phone(number: str, port: int) -> str:
    return f"""
[{number}](phone)
aors = {number}
callerid = Phone {number} <{number}>
[{number}]
type = aor
contact = sip:{number}@127.0.0.1:{port}
"""


def _queues() -> str:
    members = (
        f"member => Local/{number}@from-queue/n,0,Agent {number},PJSIP/{number}\n" for number in EXTENSIONS
    )
    return f"""
[general]
persistentmembers = no
[502]
strategy = ringall
timeout = 15
retry = 1
joinempty = yes
ringinuse = no
{"".join(members)}"""


_EXTENSIONS_CONF = f"""
[from-trunk]
exten => 30900,1,Set(__FROM_DID=${{EXTEN}})
 same => n,Goto(ext-group,1000,1)
exten => 30502,1,Set(__FROM_DID=${{EXTEN}})
 same => n,Goto(ext-queues,502,1)
exten => h,1,NoOp(h extension)

[ext-group]
exten => 1000,1,Set(__RINGGROUP=${{EXTEN}})
 same => n,Dial({"&".join(f"PJSIP/{number}" for number in EXTENSIONS)},20,tTr)
 same => n,Hangup()
exten => h,1,NoOp(h extension)

[ext-queues]
exten => 502,1,Answer()
 same => n,Set(__QNUM=${{EXTEN}})
 same => n,Queue(${{EXTEN}},tT,,,25)
 same => n,Hangup()
exten => h,1,NoOp(h extension)

[from-queue]
exten => _2XX,1,Dial(PJSIP/${{EXTEN}},15,tT)
 same => n,Hangup()

[from-internal]
exten => _2XX,1,Dial(PJSIP/${{EXTEN}},20,tT)
 same => n,Hangup()
exten => 1000,1,Goto(ext-group,1000,1)
exten => 502,1,Goto(ext-queues,502,1)
exten => _9X.,1,Dial(PJSIP/${{EXTEN:1}}@{TRUNK},20,T)
 same => n,Hangup()
exten => h,1,NoOp(h extension)
"""
