"""The part of panoramisk 1.4 that legbook uses."""

from panoramisk.manager import Manager as Manager
