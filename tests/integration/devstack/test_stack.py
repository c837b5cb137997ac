"""What the stack refuses, what it leaves in its folder, and what it does with servers of others."""

import threading
from pathlib import Path

import pytest

from legbook.devstack import Stack, StackError
from legbook.devstack.folder import choose_ports
from legbook.devstack.processes import LAST_PORT, bindable, free_ports, spawn


def test_a_folder_has_one_stack(devstack_stack: Stack) -> None:
    with pytest.raises(StackError, match=f"{devstack_stack.folder} is in use by another stack"):
        Stack(devstack_stack.folder).start()
    assert len(devstack_stack.pids()) == 3  # the first one does not notice


def test_env_sh_has_all_addresses(devstack_stack: Stack) -> None:
    lines = (devstack_stack.folder / "env.sh").read_text().splitlines()
    assert lines == [f"export {variable}={address}" for variable, address in devstack_stack.env.items()]


def test_an_unknown_server_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="there is no server redis: only kafka, mysql, clickhouse"):
        Stack(tmp_path, only=["redis"])


def test_a_server_in_the_environment_is_used_as_it_is(
    devstack_stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, address in devstack_stack.env.items():
        monkeypatch.setenv(variable, address)
    with Stack(tmp_path) as second:
        assert second.env == devstack_stack.env
        assert second.pids() == {}
        with pytest.raises(StackError, match="mysql is not a server that this stack has started"):
            second.kill("mysql")


def test_a_server_that_ends_at_once_shows_its_log(tmp_path: Path) -> None:
    (tmp_path / "clickhouse").write_text("no folder")
    stack = Stack(tmp_path, only=["clickhouse"])
    with pytest.raises(
        StackError, match=r"(?s)ClickHouse ended with 1, see .*clickhouse\.log.*create_directories"
    ):
        stack.start()
    with pytest.raises(StackError, match="ended with 1"):  # the folder is free again
        stack.start()


def test_ports_are_remembered_unless_they_are_taken(tmp_path: Path) -> None:
    first = choose_ports(tmp_path, ["kafka", "mysql"], {})
    assert choose_ports(tmp_path, ["kafka", "mysql"], {}) == first
    assert choose_ports(tmp_path, ["mysql", "kafka"], {"kafka": 4}) == {**first, "kafka": 4}


def test_free_ports_are_different_bindable_and_below_the_ephemeral_range() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    assert max(ports) <= LAST_PORT < 32768
    assert all(map(bindable, ports))


def test_children_are_started_in_the_main_thread_only(tmp_path: Path) -> None:
    errors: list[str] = []

    def start() -> None:
        try:
            spawn("x", ["true"], folder=tmp_path)
        except StackError as error:
            errors.append(str(error))

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert errors == ["x must be started in the main thread"]


def test_output_goes_to_the_log(tmp_path: Path) -> None:
    script = "echo out $WORD; echo err >&2"
    child = spawn("x", ["sh", "-c", script], folder=tmp_path, env={"WORD": "word"})
    assert child.wait() == 0
    assert (tmp_path / "x.log").read_text() == "out word\nerr\n"
