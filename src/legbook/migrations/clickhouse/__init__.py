"""Revisions of the ClickHouse database."""
