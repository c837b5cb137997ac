"""Writes every finished leg into ClickHouse, once for all who read it with FINAL."""
