"""What an HTTP request says: the statement, its settings and parameters, the encodings it accepts."""

from aiohttp import web

from legbook.devstack.front.engine import Statement
from legbook.devstack.front.refusals import not_implemented

# Arguments that are no settings of the engine. Users and sessions are accepted and mean nothing here.
NOT_SETTINGS = frozenset(
    {
        "query",
        "database",
        "default_format",
        "user",
        "password",
        "quota_key",
        "query_id",
        "session_id",
        "session_check",
        "session_timeout",
        "role",
        "compress",
        "decompress",
        "buffer_size",
        "wait_end_of_query",
        "client_protocol_version",
        "enable_http_compression",
        "send_progress_in_http_headers",
        "http_headers_progress_interval_ms",
        "cancel_http_readonly_queries_on_client_close",
        "readonly",
    }
)
PARAM = "param_"


async def arguments_of(request: web.Request) -> dict[str, str]:
    """From the address, or from a form: clickhouse-connect sends long parameters so."""
    arguments = dict(request.query)
    if is_form(request):
        for name, value in (await request.post()).items():
            if not isinstance(value, str):
                raise not_implemented("External data is not supported")
            arguments[name] = value
    if "1" in (arguments.get("compress"), arguments.get("decompress")):
        raise not_implemented("ClickHouse's framed compression is not supported, use Content-Encoding")
    return arguments


def is_form(request: web.Request) -> bool:
    return request.content_type == "multipart/form-data"


def statement_of(request: web.Request, arguments: dict[str, str], body: bytes) -> Statement:
    sql, data = body or b"SELECT 'Ok.'", b""
    if query := arguments.get("query"):
        sql, data = query.encode(), body
    named = request.headers.get("X-ClickHouse-Format", "TabSeparated")
    return Statement(
        sql=sql,
        data=data,
        database=arguments.get("database"),
        settings={
            name: value
            for name, value in arguments.items()
            if name not in NOT_SETTINGS and not name.startswith(PARAM)
        },
        params={
            name.removeprefix(PARAM): value for name, value in arguments.items() if name.startswith(PARAM)
        },
        format=arguments.get("default_format") or named,
        may_stream=arguments.get("wait_end_of_query") != "1",
        only_reads=request.method != "POST",  # as in ClickHouse: GET never changes anything
    )


def accepted_encodings(request: web.Request, arguments: dict[str, str]) -> str:
    wanted = arguments.get("enable_http_compression") == "1"
    return request.headers.get("Accept-Encoding", "") if wanted else ""
