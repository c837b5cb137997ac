"""`legbook tail TOPIC`: a topic as text. Partitions are read side by side: lines of one PBX are in order."""

import asyncio
import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Final

import typer

from legbook.cli.lines import Record, belongs, json_lines, lines
from legbook.cli.reaching import UNREACHABLE, drop_output, partition_count, until, why
from legbook.contracts import topics
from legbook.contracts.topics import Topic
from legbook.runtime import logs
from legbook.runtime.follow import Follower
from legbook.runtime.settings import KafkaSettings, load
from legbook.runtime.stop import CANNOT_START

_ALL: Final = (*topics.TOPICS, *topics.dlq_topics())


def names() -> dict[str, Topic]:
    """Short and full name -> topic: `pbx.ami.raw.v1.dlq` is also `raw.dlq`."""
    return {name: topic for topic in _ALL for name in (short(topic), topic.name)}


def short(topic: Topic) -> str:
    name = topic.name.removesuffix(".dlq")
    return name.split(".")[-2] + topic.name.removeprefix(name)


_KNOWN: Final = ", ".join(map(short, _ALL))


def chosen(topic: Topic, pbx: str | None, count: int) -> Sequence[int]:
    """The partitions to read. Others may send a command to any, and dead letters stay where they were refused."""
    if pbx is None or topic is topics.COMMANDS or topic not in topics.TOPICS:
        return range(count)
    return [topics.partition_of(pbx, count)]


def tail(
    topic: Annotated[str, typer.Argument(help=f"{_KNOWN}, or a full name.")],
    *,
    pbx: Annotated[str | None, typer.Option(help="Only this PBX.", show_default=False)] = None,
    from_beginning: Annotated[bool, typer.Option("--from-beginning", help="Also what is there.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a record, with its value.")] = False,
    follow: Annotated[bool, typer.Option(help="Go on until Ctrl-C; --no-follow: end at the end.")] = True,
) -> None:
    """Print a topic, readably: committed records, from now on or from the beginning. Times are UTC."""
    wanted = names().get(topic)
    if wanted is None:
        raise _refusal(f"there is no topic {topic}: {_KNOWN}, or a full name", 2)
    if not (follow or from_beginning):
        raise _refusal("--no-follow prints what is there: add --from-beginning", 2)
    logs.configure("warning")
    printer = _Printer(pbx, json_lines if json else lines)
    try:
        asyncio.run(_tail(wanted, pbx, printer, follow=follow, from_end=not from_beginning))
    except KeyboardInterrupt:
        return
    except BrokenPipeError:
        drop_output()
    except UNREACHABLE as error:
        raise _refusal(why(error), CANNOT_START) from None


def _refusal(text: str, code: int) -> typer.Exit:
    typer.echo(f"legbook tail: {text}", err=True)
    return typer.Exit(code)


class _Printer:
    def __init__(self, pbx: str | None, show: Callable[[Record], Iterator[str]]) -> None:
        self._pbx, self._show = pbx, show

    def put(self, record: Record) -> None:
        """BrokenPipeError when nobody reads it any more."""
        if self._pbx is None or belongs(record, self._pbx):
            sys.stdout.buffer.writelines(f"{line}\n".encode() for line in self._show(record))
            sys.stdout.buffer.flush()


async def _tail(topic: Topic, pbx: str | None, printer: _Printer, *, follow: bool, from_end: bool) -> None:
    settings = load(KafkaSettings)
    partitions = chosen(topic, pbx, await partition_count(settings, topic))
    follower = Follower(settings, printer.put, from_end=from_end)
    end = _nobody_reads() if follow else follower.caught_up.wait()
    await until(follower.run([topic.name], partitions), end)


async def _nobody_reads() -> None:
    """Returns when stdout is a pipe that was closed: on a quiet topic no write would tell."""
    closed, stdout = asyncio.Event(), sys.stdout.fileno()
    if stat.S_ISFIFO(os.fstat(stdout).st_mode):
        asyncio.get_running_loop().add_reader(stdout, closed.set)  # epoll reports the end of a pipe to all
    await closed.wait()
