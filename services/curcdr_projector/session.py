"""One MySQL session that may write the rows of one partition, because it holds the partition's lock.

GET_LOCK = 1 is the fence: the server frees the lock only when the old holder's statement is over. Measured with
MariaDB 11.4 and MySQL 9.7. A lost connection is thrown away, never pinged back: a new session has no lock.
"""

import contextlib
import socket
from collections.abc import Iterable, Sequence
from typing import Final

import pymysql

from curcdr_projector.columns import COLUMNS, Row
from legbook.runtime.settings import MysqlSettings
from legbook.runtime.stop import CannotStartError

# The seed's zero dates need a mode of our own wherever the server has MySQL 8's default (error 1978 otherwise).
MODE: Final = "STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
LOCK_WAIT: Final = 5
_NO_HOLDER: Final = 1094
_NO_TABLE: Final = frozenset({1049, 1054, 1146})

# A page may set LINK and answertime before we know of the answer (pushcall.agi): that is not taken back.
_GUARDED: Final = {
    "disposition": "IF(disposition='LINK' AND VALUES(disposition) IN ('DIAL', 'RINGING'), "
    "disposition, VALUES(disposition))",
    "answertime": "IF(VALUES(answertime)='0000-00-00 00:00:00', answertime, VALUES(answertime))",
}
# Nothing but placeholders between the brackets: pymysql sends one statement a row otherwise.
_PUT: Final = "INSERT INTO curcdr ({}) VALUES ({}) ON DUPLICATE KEY UPDATE {}".format(  # noqa: S608  # our names
    ", ".join(COLUMNS),
    ", ".join(["%s"] * len(COLUMNS)),
    ", ".join(f"{c}={_GUARDED.get(c, f'VALUES({c})')}" for c in COLUMNS if c not in {"id", "starttime"}),
)


class Session:
    """Blocking: call it in a thread. Any pymysql.MySQLError means: throw it away and make another."""

    def __init__(self, settings: MysqlSettings, partition: int) -> None:
        where = settings.parsed()
        self._lock = f"{where.database}.{partition}".lower()
        self._connection = pymysql.connect(
            host=where.host,
            port=where.port,
            user=where.user,
            password=where.password,
            database=where.database,
            charset="utf8mb4",
            autocommit=True,
            connect_timeout=5,
            read_timeout=30,
            write_timeout=30,
            init_command=f"SET SESSION sql_mode='{MODE}'",
        )

    def lock(self, *, kill_holder: bool) -> bool:
        """Only a new owner may kill, once, directly after its own fence in Kafka."""
        with self._connection.cursor() as cursor:
            if kill_holder:
                try:
                    cursor.execute("KILL CONNECTION IS_USED_LOCK(%s)", (self._lock,))
                except pymysql.MySQLError as error:
                    if error.args[0] != _NO_HOLDER:
                        raise
            cursor.execute("SELECT GET_LOCK(%s, %s)", (self._lock, LOCK_WAIT))
            found = cursor.fetchone()
            return bool(found and found[0] == 1)

    def check_table(self) -> None:
        """CannotStartError if it is not there as it must be."""
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(f"SELECT {', '.join(COLUMNS)} FROM curcdr LIMIT 0")  # noqa: S608  # our own names
        except pymysql.MySQLError as error:
            if error.args[0] in _NO_TABLE:
                raise CannotStartError(
                    f"table curcdr: {error.args[1]}; run: legbook migrate --only mysql"
                ) from None
            raise

    def put(self, rows: Sequence[Row]) -> None:
        """Inserts, or rewrites the columns that we own."""
        if rows:
            with self._connection.cursor() as cursor:
                cursor.executemany(_PUT, rows)

    def delete(self, ids: Sequence[int]) -> None:
        """One statement: pymysql's executemany sends one a row, and each waits for the GIL of a busy loop."""
        if ids:
            with self._connection.cursor() as cursor:
                some = ", ".join(["%s"] * len(ids))
                cursor.execute(f"DELETE FROM curcdr WHERE id IN ({some})", ids)  # noqa: S608  # placeholders only

    def present(self, pbxs: Iterable[str] | None = None) -> list[tuple[int, int, str]]:
        """(id, ver, pbx) of the rows of these PBXs, or of all."""
        names = None if pbxs is None else list(pbxs)
        if names == []:
            return []
        where = f" WHERE pbx IN ({', '.join(['%s'] * len(names))})" if names else ""
        with self._connection.cursor() as cursor:
            cursor.execute(f"SELECT id, ver, pbx FROM curcdr{where}", names)  # noqa: S608  # placeholders only
            return list(cursor.fetchall())

    def abort(self) -> None:
        """Cuts the socket, from any thread: what runs gets an error, the server frees the lock."""
        sock = self._connection._sock  # type: ignore[attr-defined]  # noqa: SLF001  # close() would wait to say goodbye
        if sock is not None:
            with contextlib.suppress(OSError):  # it is gone already
                sock.shutdown(socket.SHUT_RDWR)  # first: closing waits for the thread that reads
        self._connection._force_close()  # type: ignore[attr-defined]  # noqa: SLF001
