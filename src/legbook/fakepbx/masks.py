"""Event masks as in manager.conf, Login and `Action: Events`: which classes a session gets."""

# In the order of Asterisk's flag bits (include/asterisk/manager.h)
CLASSES = (
    "system", "call", "log", "verbose", "command", "agent", "user", "config", "dtmf", "reporting",
    "cdr", "dialplan", "originate", "agi", "hookresponse", "cc", "aoc", "test", "security", "message",
)  # fmt: skip
ALL = frozenset(CLASSES)
NONE: frozenset[str] = frozenset()
_ON = {"yes", "true", "y", "t", "1", "on", "all"}
_OFF = {"no", "false", "n", "f", "0", "off", "none"}


def parse_mask(text: str) -> frozenset[str] | None:
    """None where nothing was asked; a class that is not known is none."""
    text = text.strip().lower()
    if not text:
        return None
    if text in _ON:
        return ALL
    if text in _OFF:
        return NONE
    if text.isdecimal():
        return frozenset(name for bit, name in enumerate(CLASSES) if int(text) >> bit & 1)
    words = {word.strip() for word in text.split(",")}
    return ALL if "all" in words else ALL & words


def wants(mask: frozenset[str], classes: frozenset[str]) -> bool:
    """Asterisk sends an event if the mask has every class of it."""
    return mask is ALL or (bool(mask) and classes <= mask)
