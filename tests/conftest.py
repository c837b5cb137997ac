"""Which tests share a process when two run side by side (`make test`): those that share servers."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent
_FIRST = ("e2e", "integration")  # they wait for servers most of the time: pure tests fill the gaps


@pytest.hookimpl(tryfirst=True)  # before xdist looks at the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of `e2e` shares one world; of the rest each file has servers of its own, or none."""
    items.sort(key=lambda item: _rank(_folder(item)))
    for item in items:
        group = "e2e" if _folder(item) == "e2e" else item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group(group))


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(HERE).parts[0]


def _rank(folder: str) -> int:
    return _FIRST.index(folder) if folder in _FIRST else len(_FIRST)
