"""Plain .sql files: found in the packages of the services, cut into statements, given to the server as they are.

A statement ends with `;` at the end of a line. Nothing in a file is a parameter.
"""

import re
from importlib.resources import files
from typing import Final

from alembic import op

_END: Final = re.compile(r";[ \t]*(?:\n|\Z)")
_COMMENT: Final = re.compile(r"--[^\n]*")


def statements(text: str) -> list[str]:
    """Comments stay with the statement that follows them."""
    parts = (part.strip() for part in _END.split(text))
    return [part for part in parts if _COMMENT.sub("", part).strip()]


def run(package: str, name: str) -> None:
    """For revisions: runs sql/`name` of that package, or prints it if Alembic is told to print."""
    context = op.get_context()
    for statement in statements((files(package) / "sql" / name).read_text("utf-8")):
        if context.as_sql:
            context.impl.static_output(f"{statement};\n")
        else:  # no_parameters: the driver does not look for % in it
            op.get_bind().exec_driver_sql(statement, execution_options={"no_parameters": True})
