"""`legbook migrate`: what it says, what it does when it is run again, what it does when it cannot."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from legbook.devstack import Stack
from legbook.migrations.sqlfiles import statements
from tests.integration.devstack.clients import clickhouse, mysql
from tests.integration.migrations.command import migrate

SECRET = "s3cret"


def test_it_creates_the_databases_and_says_a_line_for_each_step(env: Mapping[str, str]) -> None:
    result = migrate(env)
    assert result.exit_code == 0
    assert [line.partition(": ")[2] for line in result.stdout.splitlines()] == [
        "database created",
        "0001 curcdr: one row per live leg",
        "database created",
        "0001 mycdr: finished legs, and the views cdr and calls",
    ]


def test_again_it_does_nothing(migrated: Mapping[str, str]) -> None:
    result = migrate(migrated)
    assert result.exit_code == 0
    assert [line.partition(": ")[2] for line in result.stdout.splitlines()] == [
        "nothing to do, 0001 is the newest revision"
    ] * 2


def test_what_is_in_the_tables_stays(migrated: Mapping[str, str]) -> None:
    client = clickhouse(migrated["CLICKHOUSE_URL"])
    client.command("INSERT INTO mycdr (pbx, leg_id) VALUES ('hq', 1)")
    migrate(migrated)
    assert client.query("SELECT count() FROM cdr").result_rows == [(1,)]
    client.close()


@pytest.mark.parametrize(("only", "other"), [("mysql", "clickhouse"), ("clickhouse", "mysql")])
def test_one_of_the_two(env: Mapping[str, str], only: str, other: str) -> None:
    result = migrate(env, "--only", only)
    assert result.exit_code == 0
    assert only in result.stdout
    assert other not in result.stdout


def test_a_killed_migration_is_finished_by_the_next(migrated: Mapping[str, str]) -> None:
    client = clickhouse(migrated["CLICKHOUSE_URL"])
    client.command("TRUNCATE TABLE legbook_version")
    client.command("DROP VIEW calls")
    assert migrate(migrated).exit_code == 0
    assert client.query("SELECT count() FROM calls").result_rows == [(0,)]
    client.close()


def test_sql_prints_and_changes_nothing(env: Mapping[str, str]) -> None:
    result = migrate(env, "--sql")
    assert result.exit_code == 0
    for expected in (
        "SET SESSION sql_mode",
        "CREATE TABLE IF NOT EXISTS curcdr",
        "CREATE OR REPLACE VIEW calls",
    ):
        assert expected in result.stdout
    assert "database created" in migrate(env).stdout


@pytest.mark.parametrize("only", ["mysql", "clickhouse"])
def test_the_printed_sql_does_the_same_by_hand(stack: Stack, env: Mapping[str, str], only: str) -> None:
    printed = statements(migrate(env, "--sql", "--only", only).stdout)
    if only == "mysql":
        with mysql(stack.env["MYSQL_URL"]) as connection, connection.cursor() as cursor:
            for statement in printed:
                cursor.execute(statement)
            connection.commit()
    else:
        client = clickhouse(stack.env["CLICKHOUSE_URL"])
        for statement in printed:
            if statement.startswith("USE"):  # a client has one database
                client.close()
                client = clickhouse(env["CLICKHOUSE_URL"])
            else:
                client.command(statement)
        client.close()
    assert "nothing to do" in migrate(env, "--only", only).stdout
    assert "nothing to do" in migrate(env, "--sql", "--only", only).stdout


@pytest.mark.parametrize(
    ("variable", "url", "said"),
    [
        ("MYSQL_URL", f"mysql://a:{SECRET}@127.0.0.1:1/x", "Connection refused"),
        ("MYSQL_URL", f"http://a:{SECRET}@127.0.0.1:1/x", "wanted mysql://"),
        ("CLICKHOUSE_URL", f"http://a:{SECRET}@127.0.0.1:1/x", "Connection refused"),
        ("CLICKHOUSE_URL", f"http://a:{SECRET}@127.0.0.1:1/", "wanted http://"),
    ],
)
def test_what_is_wrong_is_told_in_one_line_with_its_setting(
    env: Mapping[str, str], variable: str, url: str, said: str
) -> None:
    result = migrate({**env, variable: url})
    assert result.exit_code == 78
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"legbook migrate: {variable}: ")
    assert said in line
    assert SECRET not in result.output
    assert "0001" in result.stdout  # the other database got its tables


def test_a_wrong_password_is_told(env: Mapping[str, str]) -> None:
    result = migrate({**env, "MYSQL_URL": env["MYSQL_URL"].replace(":legbook@", f":{SECRET}@")})
    assert result.exit_code == 78
    assert result.stderr.startswith("legbook migrate: MYSQL_URL: ")
    assert "Access denied" in result.stderr
    assert SECRET not in result.output


def test_the_password_may_be_in_a_file(env: Mapping[str, str], tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("legbook\n")
    url = env["MYSQL_URL"].replace(":legbook@", "@")
    assert migrate({**env, "MYSQL_URL": url, "MYSQL_PASSWORD_FILE": str(secret)}).exit_code == 0


def test_a_table_that_was_dropped_is_told_with_the_way_out(migrated: Mapping[str, str]) -> None:
    with mysql(migrated["MYSQL_URL"]) as connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE curcdr")
        refused = migrate(migrated)
        assert refused.exit_code == 78
        assert "curcdr is gone" in refused.stderr
        assert "DROP TABLE legbook_version;" in refused.stderr
        cursor.execute("DROP TABLE legbook_version")
    assert migrate(migrated).exit_code == 0
