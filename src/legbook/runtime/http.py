"""/livez, /readyz and /metrics of a service."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from legbook.runtime.settings import ServiceSettings
from legbook.runtime.stop import CannotStartError

_log = structlog.get_logger("legbook.http")

Check = Callable[[], str | None]
"""None when all is well, else what is missing."""


@dataclass(slots=True)
class Health:
    """Named checks. Alive: a restart would not help. Ready: it does its work now."""

    live: dict[str, Check] = field(default_factory=dict)
    ready: dict[str, Check] = field(default_factory=dict)


def _answer(checks: dict[str, Check]) -> web.Response:
    wrong = {name: why for name, check in checks.items() if (why := check()) is not None}
    lines = [f"{name}: {wrong.get(name, 'ok')}" for name in checks] or ["ok"]
    return web.Response(text="\n".join(lines) + "\n", status=503 if wrong else 200)


@asynccontextmanager
async def serve(health: Health, settings: ServiceSettings) -> AsyncIterator[int]:
    """Serves while the block runs; gives the port."""

    async def livez(_: web.Request) -> web.Response:
        return _answer(health.live)

    async def readyz(_: web.Request) -> web.Response:
        return _answer({**health.live, **health.ready})

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.add_routes([web.get("/livez", livez), web.get("/readyz", readyz), web.get("/metrics", metrics)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.http_host, settings.http_port)
        try:
            await site.start()
        except OSError as error:
            raise CannotStartError(
                f"cannot serve on {settings.http_host}:{settings.http_port}: {error.strerror}; set …_HTTP_PORT"
            ) from None
        port: int = runner.addresses[0][1]
        _log.info("serving", livez=f"http://{settings.http_host}:{port}/livez")
        yield port
    finally:
        await runner.cleanup()
