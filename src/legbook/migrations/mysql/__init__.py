"""Revisions of the MySQL database."""
