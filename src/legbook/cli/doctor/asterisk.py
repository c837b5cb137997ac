"""Versions of Asterisk and the advisories about AMI: which release of a branch cured which.

From the ChangeLogs of asterisk/asterisk. A package of a distribution may have the cure under an older number.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from legbook.cli.doctor.finding import Finding, ok, warn

Version = tuple[int, int, int]
_VERSION: Final = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")
_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class Advisory:
    """`cured`: branch -> its first release without the hole; younger branches never had it, others have no cure."""

    name: str
    what: str
    cured: Mapping[int, Version]

    def hits(self, version: Version) -> bool:
        branch = version[0]
        return version < self.cured[branch] if branch in self.cured else branch < max(self.cured)


def _cured(text: str) -> dict[int, Version]:
    versions = [_parsed(each) for each in text.split()]
    return {version[0]: version for version in versions if version}


def _parsed(text: str) -> Version | None:
    found = _VERSION.match(text)
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


ADVISORIES: Final = (
    Advisory("CVE-2023-49294", "AMI GetConfig reads any file", _cured("18.20.1 20.5.1 21.0.1")),
    Advisory("CVE-2024-42365", "AMI write = originate runs programs", _cured("18.24.2 20.9.2 21.4.2")),
    Advisory(
        "CVE-2024-53566", "AMI ListCategories shows files outside", _cured("18.26.1 20.11.1 21.6.1 22.1.1")
    ),
    Advisory(
        "CVE-2025-47779", "a forged From shows a false caller name", _cured("18.26.2 20.14.1 21.9.1 22.4.1")
    ),
    Advisory(
        "CVE-2025-47780", "cli_permissions do not stop the shell", _cured("18.26.2 20.14.1 21.9.1 22.4.1")
    ),
    Advisory("GHSA-3rhj-hhw7-m6fw", "AMI over HTTP can be made to crash", _cured("20.20.1 22.10.1 23.4.1")),
)


def judged(said: str) -> Finding:
    """`said`: AsteriskVersion of CoreSettings."""
    version, shown = _parsed(said), said[:_SHOWN]
    if version is None:
        return ok(
            f"Asterisk {shown}", "its name says no release: compare with the advisories of asterisk/asterisk"
        )
    hits = [each for each in ADVISORIES if each.hits(version)]
    if not hits:
        return ok(f"Asterisk {shown}: no known advisory about AMI")
    holes = "; ".join(f"{each.name} ({each.what})" for each in hits)
    return warn(f"Asterisk {shown} has by its number: {holes}", _update(version, hits))


def _update(version: Version, hits: list[Advisory]) -> str:
    cures = [each.cured.get(version[0]) for each in hits]
    known = [cure for cure in cures if cure]
    if len(known) < len(cures):
        return f"branch {version[0]} gets no cure any more: update to a supported one"
    return f"update Asterisk to {'.'.join(map(str, max(known)))} or newer, unless your package has the cures"
