#!/bin/sh
# Renews the locks: universal, with hashes, without any address.
set -eu
cd "$(dirname "$0")/.."
lock() {
    out=$1
    shift
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
        --no-emit-index-url --no-emit-find-links "$@" --output-file "requirements/$out.txt"
    echo "requirements/$out.txt: $(grep -c == "requirements/$out.txt") packages"
}
lock build --group build
lock ami pyproject.toml --extra ami --extra migrate
lock projector pyproject.toml --extra projector --extra migrate
lock archiver pyproject.toml --extra archiver --extra migrate
lock dev pyproject.toml --all-extras
