"""What a person would look at: the rows of `curcdr` now, the newest of `mycdr`, and how many there are."""

from typing import Any
from urllib.parse import unquote, urlsplit

import clickhouse_connect
import pymysql
from pymysql.cursors import DictCursor

_LIVE = "SELECT * FROM curcdr ORDER BY id"
_LAST = """SELECT pbx, src, dst, dstdevice, disposition, toInt64(billsec) AS billsec, end
           FROM cdr ORDER BY end DESC LIMIT {rows:UInt8}"""


class Watch:
    """Reads both databases as any client would."""

    def __init__(self, mysql_url: str, clickhouse_url: str) -> None:
        my, ch = urlsplit(mysql_url), urlsplit(clickhouse_url)
        self._mysql = pymysql.connect(
            host=my.hostname or "",
            port=my.port or 3306,
            user=unquote(my.username or ""),
            password=unquote(my.password or ""),
            database=my.path.strip("/"),
            autocommit=True,
            cursorclass=DictCursor,
        )
        self._clickhouse = clickhouse_connect.get_client(
            host=ch.hostname or "",
            port=ch.port or 8123,
            username=unquote(ch.username or "default"),
            password=unquote(ch.password or ""),
            database=ch.path.strip("/"),
            autogenerate_session_id=False,
        )

    def live(self) -> list[dict[str, Any]]:
        with self._mysql.cursor() as cursor:
            cursor.execute(_LIVE)
            return list(cursor.fetchall())

    def finished(self) -> int:
        return int(self._clickhouse.query("SELECT count() FROM cdr").result_rows[0][0])

    def last(self, rows: int = 5) -> list[dict[str, Any]]:
        return list(self._clickhouse.query(_LAST, parameters={"rows": rows}).named_results())

    def query(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        """Any SELECT on ClickHouse."""
        return list(self._clickhouse.query(sql, parameters=parameters).named_results())

    def close(self) -> None:
        self._mysql.close()
        self._clickhouse.close()
