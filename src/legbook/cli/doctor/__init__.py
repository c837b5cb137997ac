"""`legbook doctor`: a check is a function that yields findings; one module a server."""

from legbook.cli.doctor.command import doctor

__all__ = ["doctor"]
