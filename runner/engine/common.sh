# shellcheck shell=bash
# What the set-up scripts share; they source it. Each thing that is installed, unpacked or started is said first.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=$root/.cache
tools=$cache/tools
venv=${VENV:-.venv}
[ "${venv#/}" != "$venv" ] || venv=$root/$venv
export PATH="$PATH:$tools/usr/bin:$tools/bin:/usr/sbin:/sbin"

say() { printf 'set-up: %s\n' "$*" >&2; }

# die MESSAGE HELP: exit code 4 is the environment's, as everywhere in this project.
die() {
    printf 'error: %s\nhelp: %s\n' "$1" "$2" >&2
    exit 4
}

have() { command -v "$1" >/dev/null 2>&1; }

is_root() { [ "$(id -u)" -eq 0 ]; }

# apt COMMAND…: quiet, and with the reason on the screen when it fails.
apt() {
    local log
    mkdir -p "$cache"
    log=$cache/apt.log
    if ! DEBIAN_FRONTEND=noninteractive apt-get -q -o APT::Sandbox::User="$(id -un)" "$@" >"$log" 2>&1; then
        tail -n 15 "$log" >&2
        return 1
    fi
}

# refresh_lists PACKAGE: package lists are fetched when the package is not in those that are here.
refresh_lists() {
    apt-cache show "$1" >/dev/null 2>&1 && return
    is_root || die "the package lists of this machine do not know $1" "run as root: apt-get update"
    say "fetching the package lists (apt-get update)"
    apt update || die "apt-get update failed" "see $cache/apt.log"
}

# install_package PACKAGE: into the system, which only root may.
install_package() {
    have apt-get || die "$1 is missing and this system has no apt-get" "install $1 by hand, then run this again"
    is_root || die "$1 is missing and installing it needs root" "run as root: apt-get install $1"
    refresh_lists "$1"
    say "installing the system package $1 (apt-get install)"
    apt install --yes --no-install-recommends "$1" || die "apt-get install $1 failed" "see $cache/apt.log"
}

# unpack_package PACKAGE PATH: put one file of a package below .cache/tools; the system stays as it is, no root needed.
unpack_package() {
    [ -e "$tools/$2" ] && return
    have apt-get || die "$2 is missing and this system has no apt-get" "install $1 by hand, then run this again"
    local folder
    refresh_lists "$1"
    say "unpacking the package $1 into ${tools#"$root"/}"
    mkdir -p "$tools"
    folder=$(mktemp -d)
    if ! (cd "$folder" && apt download "$1" && dpkg-deb --extract ./*.deb "$tools"); then
        rm -rf "$folder"
        die "the package $1 could not be fetched" "see $cache/apt.log"
    fi
    rm -rf "$folder"
}
