#!/bin/sh
# What the local stack needs beside Python: installed by apt where we are root, else named with the command to run.
set -eu

missing=""
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || missing="$missing python3"
python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
java_major=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
[ "${java_major:-0}" -ge 17 ] || missing="$missing openjdk-17-jre-headless"
command -v mvn >/dev/null || missing="$missing maven"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing$missing"
    log=$(mktemp)
    # shellcheck disable=SC2086  # one word a package
    if ! { apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends $missing; } >"$log" 2>&1; then
        tail -n 5 "$log" >&2
        rm -f "$log"
        echo "prerequisites: apt-get could not install$missing (see above)" >&2
        exit 1
    fi
    rm -f "$log"
    exec sh "$0"
fi
echo "prerequisites: missing; run: sudo apt-get install$missing" >&2
exit 1
