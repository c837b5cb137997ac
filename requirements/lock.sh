#!/bin/sh
# Renews the locks: universal, with hashes, without any address.
set -eu
cd "$(dirname "$0")/.."
lock() {
    out=$1
    shift
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
        --no-emit-index-url --no-emit-find-links "$@" pyproject.toml --output-file "requirements/$out.txt"
    echo "requirements/$out.txt: $(grep -c == "requirements/$out.txt") packages"
}
lock ingest --extra ingest --extra migrate
lock projector --extra projector --extra migrate
lock archiver --extra archiver --extra migrate
lock dev --all-extras
