#!/bin/sh
# fetch_asterisk.sh SUITE DEST: unpack Debian's Asterisk and all it needs under DEST/root, without root.
# Uses the mirror of this machine's apt with a private apt state; DEST/complete, written last, holds the version.
set -eu

die() { echo "$1" >&2; exit 1; }

# The Debian mirrors in apt's sources: deb822 files, then one-line files.
mirrors() {
    sed -n 's/^URIs: *\([^ ]*\).*/\1/p' /etc/apt/sources.list.d/debian.sources 2>/dev/null
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
        sed -n 's/^deb  *\(\[[^]]*\] *\)\{0,1\}\([^ ]*\) .*/\2/p' | grep '/debian/*$'
}

[ $# -eq 2 ] || die "usage: fetch_asterisk.sh SUITE DEST"
suite=$1
mkdir -p "$2"
dest=$(cd "$2" && pwd)
apt=$dest/apt
mirror=${DEBIAN_MIRROR:-$(mirrors | head -n 1)}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -n "$mirror" ] || die "apt knows no Debian mirror here"
[ -r "$keyring" ] || die "the package debian-archive-keyring is missing"

mkdir -p "$apt/none" "$apt/lists/partial" "$apt/cache/archives/partial" "$dest/root"
: > "$apt/status"
echo "deb [signed-by=$keyring] $mirror $suite main" > "$apt/sources.list"
{
    apt-config dump | grep -i '^Acquire::.*proxy' || true # the machine's own proxies stay in force
    cat << EOC
Dir::State "$apt"; Dir::State::status "$apt/status"; Dir::Cache "$apt/cache";
Dir::Etc::main "$apt/none/main"; Dir::Etc::parts "$apt/none"; Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "$apt/none"; Dir::Etc::preferences "$apt/none/main"; Dir::Etc::preferencesparts "$apt/none";
Dir::Etc::trusted "$apt/none/main"; Dir::Etc::trustedparts "$apt/none";
APT::Install-Recommends "false"; APT::Get::Assume-Yes "true"; APT::Sandbox::User "";
APT::Update::Error-Mode "any";
Acquire::Check-Valid-Until "false"; Acquire::Languages "none"; Acquire::Retries "2"; Acquire::http::Timeout "20";
Debug::NoLocking "true";
EOC
} > "$apt/apt.conf"
export APT_CONFIG="$apt/apt.conf"

apt-get -q update > "$apt/log" 2>&1 || die "apt-get update: $(grep '^E:' "$apt/log" | head -n 1)"
apt-get -q install --download-only asterisk asterisk-modules asterisk-core-sounds-en-gsm >> "$apt/log" 2>&1 ||
    die "apt-get install: $(grep '^E:' "$apt/log" | head -n 1)"
for deb in "$apt"/cache/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" | tar -C "$dest/root" -x --no-same-owner \
        --exclude=./usr/share/doc --exclude=./usr/share/man --exclude=./usr/share/locale
done
ln -sfn en_US_f_Allison "$dest/root/usr/share/asterisk/sounds/en"
version=$(dpkg-deb -f "$apt"/cache/archives/asterisk_*.deb Version)
rm -rf "$apt/cache" "$apt/lists"
echo "$version" > "$dest/complete.new"
mv "$dest/complete.new" "$dest/complete"
