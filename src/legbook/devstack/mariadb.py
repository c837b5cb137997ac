"""MariaDB: the system's server or else the one from a Maven jar; with MYSQLD any other, MySQL too.

Strict like MySQL 8.
"""

import os
import shutil
import subprocess
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

from legbook.devstack.fetch import fetched
from legbook.devstack.server import Command, Home, NotReadyError, Progress, Server, StackError

MYSQL8_MODE = (
    "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
    "NO_ENGINE_SUBSTITUTION"
)
OPTIONS = (
    "--bind-address=127.0.0.1",
    "--socket=mysql.sock",  # relative to the data: an absolute one may be too long for the kernel
    "--skip-name-resolve",
    "--performance-schema=off",
    "--innodb-buffer-pool-size=64M",
    "--skip-log-bin",
    "--innodb-flush-log-at-trx-commit=2",
    "--max-heap-table-size=256M",
    f"--sql-mode={MYSQL8_MODE}",
    "--character-set-server=utf8mb4",
)
# Run at every start, so that the user is there whatever happened to the data. One statement a line.
INIT = """\
CREATE DATABASE IF NOT EXISTS legbook;
CREATE USER IF NOT EXISTS 'legbook'@'127.0.0.1' IDENTIFIED BY 'legbook';
GRANT ALL ON *.* TO 'legbook'@'127.0.0.1';
"""


@dataclass(frozen=True, slots=True)
class Installation:
    """A server program and what it needs to be told about where it lies."""

    program: Path
    is_mariadb: bool
    options: tuple[str, ...] = ()

    @property
    def base(self) -> Path:
        return self.program.parents[1]

    def install_db(self) -> Path:
        """The script that makes MariaDB's data; MySQL's server does it itself."""
        name = "mariadb-install-db"
        places = [self.base / "scripts" / name, self.base / "bin" / name]
        found = next((place for place in places if place.exists()), shutil.which(name))
        if found is None:
            raise StackError(f"there is no {name} beside {self.program}: use another one, or MYSQLD=maven")
        return Path(found)


class MariaDB(Server):
    name = "mysql"
    title = "MariaDB"
    variable = "MYSQL_URL"
    ports = ("mysql",)

    def __init__(self) -> None:
        self._installation = Installation(Path(), is_mariadb=True)

    def url(self, port: int) -> str:
        return f"mysql://legbook:legbook@127.0.0.1:{port}/legbook"

    def install(self, progress: Progress) -> None:
        if program := system_program():
            self._installation = Installation(program, is_mariadb=is_mariadb(program))
            return
        folder = fetched("mariadb", title=self.title, what="the server (a jar of 149 MB)", progress=progress)
        base = next(folder.glob("**/linux"))
        messages = f"--lc-messages-dir={base / 'share'}"
        self._installation = Installation(base / "bin/mariadbd", is_mariadb=True, options=(messages,))

    def prepare(self, home: Home) -> list[Command]:
        (home.folder / "init.sql").write_text(INIT)
        if home.data(self.name).is_dir():
            return []
        this, part = self._installation, unfinished(home)
        shutil.rmtree(part, ignore_errors=True)
        common = ["--no-defaults", f"--datadir={part}", own_tmpdir(home)]
        if not this.is_mariadb:
            return [[this.program, *common, "--initialize-insecure", *as_user()]]
        more = [f"--basedir={this.base}", "--auth-root-authentication-method=normal", "--skip-test-db"]
        return [["sh", this.install_db(), *common, *more, *this.options, *as_user()]]

    def command(self, home: Home) -> Command:
        this, data = self._installation, home.data(self.name)
        if not data.is_dir():
            unfinished(home).rename(data)  # only whole data gets its name
        # MariaDB 11.4 makes a new RSA key at every start (3 s) unless --skip-ssl. MySQL's passwords need TLS.
        own = [f"--basedir={this.base}", "--skip-ssl"] if this.is_mariadb else []
        files = [f"--datadir={data}", f"--pid-file={data / 'mysql.pid'}", own_tmpdir(home)]
        place = [*files, f"--port={home.ports['mysql']}"]
        init = f"--init-file={home.folder / 'init.sql'}"
        return [this.program, "--no-defaults", *own, *place, *this.options, *as_user(), *OPTIONS, init]

    def probe(self, url: str) -> None:
        import pymysql  # noqa: PLC0415  # the ClickHouse front imports this package too, and would start later

        parts = urllib.parse.urlsplit(url)
        try:
            with pymysql.connect(
                host=parts.hostname or "127.0.0.1",
                port=parts.port or 3306,
                user=urllib.parse.unquote(parts.username or ""),
                password=urllib.parse.unquote(parts.password or ""),
                connect_timeout=2,
            ) as connection:
                connection.ping()
        except pymysql.err.MySQLError as error:
            raise NotReadyError(error) from error


def system_program() -> Path | None:
    named = os.environ.get("MYSQLD")
    if named == "maven":
        return None
    found = named or shutil.which("mariadbd", path=os.environ.get("PATH", os.defpath) + ":/usr/sbin")
    return Path(found).resolve() if found else None


def is_mariadb(program: Path) -> bool:
    try:
        version = subprocess.check_output([program, "--version"], text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise StackError(f"{program} does not run: {error}") from error
    return "MariaDB" in version


def as_user() -> list[str]:
    """Root must be told. Another user would mean setuid(), which clears the parent death signal."""
    return ["--user=root"] if os.getuid() == 0 else []


def unfinished(home: Home) -> Path:
    return home.folder / "mysql.part"


def own_tmpdir(home: Home) -> str:
    """Two servers that make their data at the same time take each other's temporary tables away in a shared one."""
    folder = home.folder / "mysql.tmp"
    folder.mkdir(exist_ok=True)
    return f"--tmpdir={folder}"
