"""The folder `contracts/`, written from structs, topic table and examples; nothing in it is edited by hand.

`python -m legbook.contracts.generate [--check] [FOLDER]`
"""

import argparse
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from legbook.contracts import codec
from legbook.contracts.asyncapi import ALL_TOPICS, asyncapi
from legbook.contracts.examples import EXAMPLES, LETTERS
from legbook.contracts.schemas import MESSAGES, schema
from legbook.contracts.topics import Topic, partition_of


def _readme() -> str:
    keys = {t.name: t.key.replace("|", "\\|") for t in ALL_TOPICS}  # a bar would end the cell
    rows = [f"| `{t.name}` | `{keys[t.name]}` | {kept(t)} | {t.purpose} |" for t in ALL_TOPICS]
    names = ["hq", "branch-2", "a", "pbx_07", "0123456789abcdef0123456789abcdef"]
    vectors = [f"| `{name}` | {partition_of(name, 4)} | {partition_of(name, 12)} |" for name in names]
    return (
        Path(__file__)
        .with_name("readme.md")
        .read_text(encoding="utf-8")
        .format(
            topics="\n".join(["| topic | key | kept | what |", "|---|---|---|---|", *rows]),
            vectors="\n".join(["| pbx | P = 4 | P = 12 |", "|---|---|---|", *vectors]),
        )
    )


def kept(topic: Topic) -> str:
    """What of a topic is there, and for how long."""
    policy, retention = topic.config["cleanup.policy"], topic.config.get("retention.ms")
    newest = "newest of each key" if "compact" in policy else ""
    if retention is None:
        return newest
    hours = int(retention) // 3_600_000
    kept = f"{hours // 24} days" if hours >= 48 else f"{hours} h"
    return f"{newest}, {kept}" if newest else kept


def contents() -> dict[str, str]:
    """Path in the folder -> text."""
    files = {"README.md": _readme(), "asyncapi.json": _text(asyncapi())}
    files |= {f"schemas/{name}.v1.schema.json": _text(schema(name)) for name in MESSAGES}
    for example in EXAMPLES:
        value = json.loads(codec.encode(example.message))
        files[f"examples/{example.topic}/{example.name}.json"] = _text(value)
    files |= {f"examples/{topic}/DeadLetter.json": _text(letter) for topic, letter in LETTERS.items()}
    return files


def _text(value: Any) -> str:
    """Indented, but a short list of plain values takes one line."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return re.sub(r"\[\n[^][{}]+\n *\]", _one_line, text) + "\n"


def _one_line(found: re.Match[str]) -> str:
    line = re.sub(r"\n *", " ", found[0]).replace("[ ", "[").replace(" ]", "]")
    return line if len(line) < 100 else found[0]


def differing(folder: Path, files: Mapping[str, str]) -> dict[str, str]:
    """Path in the folder -> what is wrong with it; nothing else may be there."""
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    wrong = dict.fromkeys(there - set(files), "nothing generates it, delete it")
    for name, text in files.items():
        if name not in there or (folder / name).read_bytes() != text.encode():
            wrong[name] = "not as the code says, run make contracts"
    return dict(sorted(wrong.items()))


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="legbook.contracts.generate", description="Writes contracts/ from the code."
    )
    parser.add_argument("folder", nargs="?", type=Path, default=Path("contracts"))
    parser.add_argument("--check", action="store_true", help="write nothing, name what differs, exit 1")
    options = parser.parse_args(arguments)
    files = contents()
    if not options.check:
        write(options.folder, files)
    wrong = differing(options.folder, files)
    sys.stderr.writelines(f"{options.folder / name}: {why}\n" for name, why in wrong.items())
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
