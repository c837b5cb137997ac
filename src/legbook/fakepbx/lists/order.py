"""In which order Asterisk lists things: that of its hash tables, which is neither by age nor by name.

Nobody may rely on it, so whoever plays Asterisk must not give a friendlier one. Proved by 26 and 30 of both versions.
"""

from typing import Final

_CHANNELS: Final = 1567  # buckets, as in channel.c
_CACHE: Final = 563  # as in stasis_cache.c
_QUEUES: Final = 53  # as in app_queue.c
_MEMBERS: Final = 37
_MASK: Final = 0xFFFFFFFF
_SIGN: Final = 0x7FFFFFFF


def channels(name: str) -> int:
    """The place of a channel with this name; in 16 that of Status only."""
    return _string(name.lower()) % _CHANNELS


def cached_channels(name: str) -> int:
    """In CoreShowChannels of 16, which lists the messages of a cache."""
    return _cached("ast_channel_snapshot_type", name)


def cached_bridges(uniqueid: str) -> int:
    """In BridgeList of 16; later ones list by uniqueid."""
    return _cached("ast_bridge_snapshot_type", uniqueid)


def queues(name: str) -> int:
    return _string(name.lower()) % _QUEUES


def members(interface: str) -> int:
    """The first five characters from the slash on, six bits each."""
    start = max(0, interface.find("/"))
    letters = (max(0, ord(c) - 64 if ord(c) > 96 else ord(c) - 32) for c in interface[start : start + 5])
    return sum(letter << 6 * i for i, letter in enumerate(letters)) % _MEMBERS


def _string(text: str) -> int:
    found = 5381
    for byte in text.encode("utf-8", "surrogateescape"):
        found = found * 33 & _MASK ^ byte
    return found & _SIGN


def _cached(kind: str, key: str) -> int:
    """C adds the hashes and takes the sum for a signed number."""
    total = _sum(kind) + _sum(key) & _MASK
    return min(total, _MASK + 1 - total) % _CACHE


def _sum(text: str) -> int:
    found = 0
    for byte in text.encode("utf-8", "surrogateescape"):
        found = found * 13 + byte & _MASK
    return found
