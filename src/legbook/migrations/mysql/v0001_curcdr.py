"""curcdr: one row per live leg"""

from legbook.migrations.sqlfiles import run

revision = "0001"
down_revision = None


def upgrade() -> None:
    run("curcdr_projector", "0001_curcdr.sql")
