"""mycdr: finished legs, and the views cdr and calls"""

from legbook.migrations.sqlfiles import run

revision = "0001"
down_revision = None


def upgrade() -> None:
    run("cdr_archiver", "0001_mycdr.sql")
