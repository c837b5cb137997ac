"""One stack of real servers for all integration tests that do not break it."""

from collections.abc import Iterator

import pytest

from legbook.devstack import Stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("stack")) as running:
        yield running
