"""ClickHouse's HTTP interface over the embedded engine, as much as clickhouse-connect needs.

Loopback only: it has no users.
"""
