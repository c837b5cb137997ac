"""Requests in, answers out: runs each statement in a worker thread, and sends a stream as it comes."""

import asyncio
import json
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from aiohttp import web

from legbook.devstack.front.bodies import Packer, decompress
from legbook.devstack.front.engine import Answer, Engine, Stream
from legbook.devstack.front.refusals import STATUS, Refused, code_of, text_of, trailer
from legbook.devstack.front.requests import accepted_encodings, arguments_of, is_form, statement_of

P = ParamSpec("P")
R = TypeVar("R")
WORKERS = 8


class Service:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._workers = ThreadPoolExecutor(WORKERS, "chdb")

    def close(self) -> None:
        self._workers.shutdown()

    async def ping(self, _request: web.Request) -> web.Response:
        return web.Response(text="Ok.\n")

    async def serve(self, request: web.Request) -> web.StreamResponse:
        head = {
            "X-ClickHouse-Query-Id": request.query.get("query_id") or str(uuid.uuid4()),
            "X-ClickHouse-Timezone": self._engine.zone,
            "X-ClickHouse-Server-Display-Name": "legbook devstack",
        }
        try:
            arguments = await arguments_of(request)
            statement = statement_of(request, arguments, await self._body(request))
            answer = await self._call(self._engine.run, statement)
        except web.HTTPRequestEntityTooLarge:
            return self._failed(Refused(386, "TOO_LARGE", "The request body is too large"), head)
        except (Refused, RuntimeError, ValueError) as error:  # chDB's errors are RuntimeErrors
            return self._failed(error, head)
        packer = Packer(accepted_encodings(request, arguments))
        head |= described(answer, packer)
        if answer.stream is None:
            return web.Response(body=await self._call(packer.end, answer.data), headers=head)
        return await self._send(request, head, packer, answer.data, answer.stream)

    async def _body(self, request: web.Request) -> bytes:
        if is_form(request):
            return b""
        encoding = request.headers.get("Content-Encoding", "").lower()
        return await self._call(decompress, await request.read(), encoding)

    async def _send(
        self, request: web.Request, head: dict[str, str], packer: Packer, chunk: bytes, stream: Stream
    ) -> web.StreamResponse:
        tag = uuid.uuid4().hex[:16]
        response = web.StreamResponse(headers=head | {"X-ClickHouse-Exception-Tag": tag})
        try:
            await response.prepare(request)
            while chunk:  # a slow reader holds a handle, but no worker
                await response.write(await self._call(packer.add, chunk))
                try:
                    chunk = await self._call(stream.fetch)
                except (RuntimeError, ValueError) as error:  # status 200 is out already
                    await response.write(packer.end(trailer(error, tag)))
                    return response
            await response.write(packer.end())
        except ConnectionError:
            pass  # the client went away and wants no more: the query is cancelled below
        finally:
            await asyncio.shield(self._call(stream.close))
        return response

    def _failed(self, error: Exception, head: dict[str, str]) -> web.Response:
        code = code_of(error)
        return web.Response(
            status=STATUS.get(code, 500),
            text=f"{text_of(error)} (version {self._engine.version} (chDB))\n",
            headers=head | {"X-ClickHouse-Exception-Code": str(code)},
        )

    def _call(self, function: Callable[P, R], *args: P.args, **more: P.kwargs) -> asyncio.Future[R]:
        return asyncio.get_running_loop().run_in_executor(self._workers, partial(function, *args, **more))


def described(answer: Answer, packer: Packer) -> dict[str, str]:
    """The headers that say what the answer is."""
    is_json = (answer.format or "").startswith("JSON")
    head = {"Content-Type": "application/json; charset=UTF-8" if is_json else "text/plain; charset=UTF-8"}
    if answer.format:
        head["X-ClickHouse-Format"] = answer.format
    if answer.summary:
        head["X-ClickHouse-Summary"] = json.dumps({name: str(n) for name, n in answer.summary.items()})
    if packer.encoding:
        head["Content-Encoding"] = packer.encoding
    return head
