"""The fold: AMI entries of one PBX -> call legs. Pure: no I/O, no clock, no randomness, no logging.

Follow one event: `fold.PbxState.apply` finds its rule, a function in `rules/` changes what `state` knows,
`legs` and `talks` turn that into legs, and `step` hands out what changed.
"""

from legbook.calls.changes import LegChange, RuleError, Surprise, Talk
from legbook.calls.fold import PbxState

__all__ = ["LegChange", "PbxState", "RuleError", "Surprise", "Talk"]
