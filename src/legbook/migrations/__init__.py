"""Schemas of both databases: Alembic revisions, each of which runs a plain .sql file of a service.

Only forwards. A revision that has been released is never changed: the next one repairs it. Every statement can be
run twice (IF NOT EXISTS, OR REPLACE): neither database has transactions for DDL, and a migration may be killed.
"""
