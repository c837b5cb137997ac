"""The variables that an `Action: Status` may ask for, as far as events tell of them."""

import re
from collections.abc import Iterable, Iterator

from legbook.fakepbx.lists.live import Live
from legbook.fakepbx.moments import to_ami

_NAME = re.compile(r"(?:[^,(]|\([^)]*\))+")
_TIMES = {"CDR(start,u)": 0, "CDR(answer,u)": 1}


def names(text: str) -> list[str]:
    """`CDR(start,u),FROM_DID`: a comma in brackets separates nothing."""
    return _NAME.findall(text)


def values(live: Live, uniqueid: str, wanted: Iterable[str]) -> Iterator[str]:
    """`NAME=value` each; a variable that is not set is `(null)` (40), a function that is not known here is empty."""
    channel = live.channels.live[uniqueid]
    for name in wanted:
        if name in _TIMES:
            value = to_ami(live.records.times(uniqueid)[_TIMES[name]]).decode()
        else:
            value = "" if name.endswith(")") else channel.variables.get(name, "(null)")
        yield f"{name}={value}"
