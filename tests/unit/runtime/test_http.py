import asyncio
import socket

import aiohttp
import pytest

from legbook.runtime.dlq import letter
from legbook.runtime.http import Health, serve
from legbook.runtime.settings import ServiceSettings
from legbook.runtime.stop import CannotStartError


async def get(port: int, path: str) -> tuple[int, str, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}{path}", timeout=aiohttp.ClientTimeout(5)) as answer,
    ):
        return answer.status, answer.headers["Content-Type"], await answer.text()


async def test_without_checks_it_is_alive_and_ready() -> None:
    async with serve(Health(), ServiceSettings()) as port:
        for path in ("/livez", "/readyz"):
            assert await get(port, path) == (200, "text/plain; charset=utf-8", "ok\n")
        assert (await get(port, "/"))[0] == 404


async def test_not_ready_says_why_and_becomes_ready() -> None:
    missing: dict[str, str | None] = {"pbxs": "1 of 2 PBXs connected", "kafka": None}
    health = Health(ready={name: lambda name=name: missing[name] for name in missing})  # type: ignore[misc]
    async with serve(health, ServiceSettings()) as port:
        assert (await get(port, "/readyz"))[::2] == (503, "pbxs: 1 of 2 PBXs connected\nkafka: ok\n")
        assert (await get(port, "/livez"))[0] == 200
        missing["pbxs"] = None
        assert (await get(port, "/readyz"))[::2] == (200, "pbxs: ok\nkafka: ok\n")


async def test_what_is_not_alive_is_not_ready() -> None:
    health = Health(live={"loop": lambda: "stuck"}, ready={"kafka": lambda: None})
    async with serve(health, ServiceSettings()) as port:
        assert (await get(port, "/livez"))[::2] == (503, "loop: stuck\n")
        assert (await get(port, "/readyz"))[::2] == (503, "loop: stuck\nkafka: ok\n")


async def test_an_empty_reason_is_a_reason() -> None:
    async with serve(Health(live={"x": lambda: ""}), ServiceSettings()) as port:
        assert (await get(port, "/livez"))[0] == 503


async def test_metrics() -> None:
    letter("pbx.calls.cdr.v1", 0, 0, None, b"", "bad_message: x")
    async with serve(Health(), ServiceSettings()) as port:
        status, kind, text = await get(port, "/metrics")
    assert status == 200
    assert kind.startswith("text/plain; version=")
    assert "legbook_build_info{version=" in text
    assert 'legbook_dead_letters_total{kind="bad_message",topic="pbx.calls.cdr.v1"}' in text


async def test_a_taken_port_is_told_with_its_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(
            CannotStartError, match=rf"127\.0\.0\.1:{number}: .*address already in use.*_HTTP_PORT"
        ):
            async with serve(Health(), ServiceSettings(http_port=number)):
                pytest.fail("served on a taken port")


async def test_a_host_that_is_not_ours_is_told() -> None:
    for host in ("192.0.2.1", "no.such.host.invalid"):
        with pytest.raises(CannotStartError, match=rf"cannot serve on {host}:"):
            async with serve(Health(), ServiceSettings(http_host=host)):
                pytest.fail("served on a host that is not ours")


async def test_it_serves_only_inside_the_block() -> None:
    with pytest.raises(LookupError):
        async with serve(Health(), ServiceSettings()) as port:
            raise LookupError
    with pytest.raises(OSError, match="Connect call failed"):
        await asyncio.open_connection("127.0.0.1", port)
