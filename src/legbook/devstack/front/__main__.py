"""`python -m legbook.devstack.front --path DIR --port N` serves until SIGTERM, and on loopback only."""

import argparse  # typer takes 0.1 s to import, and every start of the stack waits for this process
import asyncio
import ipaddress
import resource
import signal

from aiohttp import web

from legbook.devstack.front.engine import Engine
from legbook.devstack.front.service import Service

LARGEST_BODY = 256 << 20


def loopback(text: str) -> str:
    """The engine lets anybody who can talk to it read files and call out: nobody else may talk to it."""
    if not ipaddress.ip_address(text).is_loopback:
        raise argparse.ArgumentTypeError(f"{text} is not a loopback address: this front has no users")
    return text


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="legbook.devstack.front")
    parser.add_argument("--path", required=True)
    parser.add_argument("--host", type=loopback, default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--database", default="default")
    return parser.parse_args()


def raise_descriptor_limit() -> None:
    """The engine holds 3 descriptors a thread; 500 were seen."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def serve(given: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    engine = Engine(given.path, given.database)
    service = Service(engine)
    app = web.Application(client_max_size=LARGEST_BODY)
    app.router.add_get("/ping", service.ping)
    app.router.add_route("*", "/", service.serve)
    # auto_decompress off: aiohttp would read one frame of a body that has several.
    runner = web.AppRunner(app, access_log=None, auto_decompress=False, shutdown_timeout=5)
    await runner.setup()
    await web.TCPSite(runner, given.host, given.port).start()
    await stop.wait()
    await runner.cleanup()
    service.close()
    engine.close()


if __name__ == "__main__":
    raise_descriptor_limit()
    asyncio.run(serve(options()))
