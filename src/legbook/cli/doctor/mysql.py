"""MySQL or MariaDB: its settings, the schema, what the user may do, and who waits. Writes nothing."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import pymysql
from pymysql.cursors import DictCursor

from legbook.cli.doctor import revision
from legbook.cli.doctor.finding import Finding, Findings, fail, in_thread, ok, warn
from legbook.migrations.databases import Mysql
from legbook.runtime.settings import MysqlSettings, load
from legbook.runtime.stop import CannotStartError

_HEAP: Final = 256 << 20  # what `legbook migrate` makes curcdr with
_LONG: Final = 2  # seconds
_TOLD: Final = 4
_DENIED: Final = frozenset({1044, 1045, 1142, 1143, 1698})
_TODO: Final = {
    1049: "legbook migrate --only mysql",
    **dict.fromkeys(_DENIED, "user and password of MYSQL_URL, and from where that user may come"),
}
_MY_CNF: Final = f"max_heap_table_size = {_HEAP >> 20}M under [mysqld] in my.cnf, then restart MySQL"
_SERVER: Final = (
    "SELECT VERSION() AS version, @@GLOBAL.max_heap_table_size AS heap, @@GLOBAL.sql_mode AS mode"
)
_TABLES: Final = (
    "SELECT table_name AS name, engine AS engine, max_data_length AS most, avg_row_length AS width "
    "FROM information_schema.tables WHERE table_schema = DATABASE()"
)
_TRIED: Final = {  # EXPLAIN needs the rights of what it explains, and does nothing
    "SELECT": "EXPLAIN SELECT id FROM curcdr",
    "INSERT": "EXPLAIN INSERT INTO curcdr (id, pbx, ver) VALUES (0, '', 0)",
    "UPDATE": "EXPLAIN UPDATE curcdr SET memo = '' WHERE id = 0",
    "DELETE": "EXPLAIN DELETE FROM curcdr WHERE id = 0",
}
_GRANT: Final = re.compile(r"GRANT (?P<what>.+?) ON (?P<where>\S+) TO ")
_COLUMNS: Final = re.compile(r" ?\([^)]*\)")
_EVERYWHERE: Final = frozenset({"USAGE", "PROCESS"})
_ON_OURS: Final = _EVERYWHERE | {*_TRIED, "CREATE", "ALTER", "INDEX", "DROP", "ALL PRIVILEGES"}
Row = Mapping[str, Any]
Ask = Callable[[str], Sequence[Row]]


def check() -> Findings:
    return in_thread(_check)


def _check() -> Iterator[Finding]:
    try:
        database = Mysql(load(MysqlSettings))
        with _connect(database) as connection, connection.cursor() as cursor:
            yield from _examine(database, lambda sql: (cursor.execute(sql), cursor.fetchall())[1])
    except CannotStartError as error:
        yield fail(str(error), "MYSQL_URL says where MySQL is and who logs in")
    except pymysql.MySQLError as error:
        todo = _TODO.get(error.args[0], "MYSQL_URL says where MySQL is; does it listen there (bind-address)?")
        yield fail(f"{database}: {error.args[-1]}", todo)


def _connect(database: Mysql) -> "pymysql.Connection[DictCursor]":
    url = database.url
    return pymysql.connect(
        host=url.host,
        port=url.port,
        user=url.user,
        password=url.password,
        database=url.database,
        cursorclass=DictCursor,
        connect_timeout=5,
        read_timeout=10,
        write_timeout=10,
        init_command=database.session,
    )


def _examine(database: Mysql, ask: Ask) -> Iterator[Finding]:
    tables = {row["name"]: row for row in ask(_TABLES)}
    (server,) = ask(_SERVER)
    yield ok(f"{database}, version {server['version']}")
    yield from settings(server["heap"], server["mode"])
    yield revision.found(database, tables.keys(), lambda sql: str(ask(sql)[0]["version_num"]))
    if "curcdr" in tables:
        yield table(tables["curcdr"])
        yield missing_rights(ask)
    yield from excess_rights(str(next(iter(row.values()))) for row in ask("SHOW GRANTS"))
    yield from waiting(ask("SHOW FULL PROCESSLIST"))


def settings(heap: int, mode: str) -> Iterator[Finding]:
    if heap < _HEAP:
        yield warn(f"max_heap_table_size is {heap >> 20} MiB: curcdr has no more after a restart", _MY_CNF)
    if "NO_ZERO_DATE" in mode:
        yield ok("sql_mode has NO_ZERO_DATE: legbook sets its own, and so must a page that writes zero dates")


def table(curcdr: Row) -> Finding:
    """Its limit is that of the session that made it, or of the server since its last restart."""
    if curcdr["engine"] != "MEMORY":
        return warn(f"curcdr is {curcdr['engine']}, not MEMORY: slower", "ALTER TABLE curcdr ENGINE = MEMORY")
    seen = f"curcdr holds {curcdr['most'] // curcdr['width']:,} live legs at most"
    return ok(seen) if curcdr["most"] > _HEAP // 2 else warn(seen, f"{_MY_CNF}: legbook fills it again")


def missing_rights(ask: Ask) -> Finding:
    """Tried, whatever grants and roles say."""
    missing = []
    for right, sql in _TRIED.items():
        try:
            ask(sql)
        except pymysql.MySQLError as error:
            if error.args[0] not in _DENIED:
                raise
            missing.append(right)
    if not missing:
        return ok("this user may read and write curcdr")
    rights = ", ".join(missing)
    return fail(f"this user may not {rights} in curcdr", f"GRANT {rights} ON <database>.curcdr TO <user>")


def excess_rights(grants: Iterable[str]) -> Iterator[Finding]:
    """Lines of SHOW GRANTS. One may hold the hash of the password: nothing but names of rights is told."""
    excess = set[str]()
    for grant in grants:
        if found := _GRANT.match(grant):
            rights = {each.strip() for each in _COLUMNS.sub("", found["what"]).split(",")}
            everywhere = found["where"] == "*.*"
            excess |= (
                {f"{each} everywhere" for each in rights - _EVERYWHERE} if everywhere else rights - _ON_OURS
            )
        if grant.endswith("WITH GRANT OPTION"):
            excess.add("GRANT OPTION")
    if excess:
        told = [*sorted(excess)[:_TOLD], *(["…"] if len(excess) > _TOLD else [])]
        yield warn(
            f"this user may do more than it needs: {', '.join(told)}",
            "a user with SELECT, INSERT, UPDATE, DELETE on the one database, and for legbook migrate CREATE, "
            "ALTER, INDEX, DROP",
        )


def waiting(processes: Iterable[Row]) -> Iterator[Finding]:
    """Without the right PROCESS only sessions of our own user are shown."""
    for each in processes:
        if (each["State"] or "").startswith("Waiting for table") and each["Time"] >= _LONG:
            yield warn(
                f"session {each['Id']} of {each['User']} waits for {each['Time']} s: {each['State']}",
                "SHOW FULL PROCESSLIST: who has a transaction open on that table? KILL it",
            )
