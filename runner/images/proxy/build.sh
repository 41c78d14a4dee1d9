#!/usr/bin/env bash
# Build the image of the proxies: build.sh [--fresh] [TAG]. Nothing is done when it was built from the same files.
#
# HAProxy comes from the packages of this Debian or Ubuntu: downloaded and unpacked below .cache, not installed, as any
# user. Only what it loads goes into the image. --fresh takes today's packages.
# Settings: BUSYBOX (a statically linked one), DOCKER (docker or podman).
source "$(dirname "${BASH_SOURCE[0]}")/../../engine/common.sh"

fresh=
if [ "${1-}" = --fresh ]; then fresh=yes; shift; fi
tag=${1:-dispatchfile/proxy:latest}
here=$root/runner/images/proxy
docker=${DOCKER:-docker}
if [ -z "${BUSYBOX-}" ]; then
    unpack_package busybox-static bin/busybox
    BUSYBOX=$tools/bin/busybox
fi

inputs=$(cat "$here/build.sh" "$here/Dockerfile" "$BUSYBOX" | sha256sum | cut -c1-32)
label=$("$docker" image inspect --format '{{index .Config.Labels "dispatchfile.inputs"}}' "$tag" 2>&1) || true
if [ -z "$fresh" ] && [ "$label" = "$inputs" ]; then
    echo "$tag is up to date" >&2
    exit 0
fi

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# What the package says it needs, with all that these need: of that, the libraries.
libraries() {
    : >"$work/status"
    apt-get -q -o Dir::State::status="$work/status" --simulate --no-install-recommends install haproxy |
        awk '$1 == "Inst" { print $2 }' | grep -E '^(lib|zlib)' | grep -Ev 'perl|^libpam|^libsem|common$'
}

# The loader of the unpacked tree tells what it would load from there: NAME => PATH (ADDRESS).
loaded() {
    local loader folders
    loader=$(find "$tools" -name 'ld-linux*.so.*' -type f)
    folders=$(find "$tools" -name 'lib*.so.*' -printf '%h\n' | sort -u | tr '\n' ':')
    "$loader" --library-path "${folders%:}" --list "$tools/usr/sbin/haproxy" | awk '$2 == "=>" { print $3 }'
    echo "$loader"
}

tools=$cache/packages-of-proxy
[ -z "$fresh" ] || rm -rf -- "$tools"
if [ ! -e "$tools/usr/sbin/haproxy" ]; then
    refresh_lists haproxy
    say "unpacking HAProxy and its libraries into ${tools#"$root"/}"
    mkdir -p "$work/deb"
    # shellcheck disable=SC2046 # the names are words
    (cd "$work/deb" && apt download $(libraries) haproxy) ||
        die "the packages of HAProxy could not be fetched" "see $cache/apt.log"
    mkdir -p "$tools"
    for package in "$work"/deb/lib*.deb "$work"/deb/zlib*.deb "$work"/deb/haproxy_*.deb; do
        dpkg-deb --extract "$package" "$tools"
    done
fi

files=$work/root
mkdir -p "$files/bin" "$files/usr/sbin" "$files/etc/haproxy" "$files/tmp"
chmod 1777 "$files/tmp"
cp "$tools/usr/sbin/haproxy" "$files/usr/sbin/"
for path in $(loaded); do
    # Where the loader looks by itself, whatever the package calls it: /lib and /usr/lib are one.
    target=${path#"$tools"}
    install -D -m 0755 "$path" "$files/${target#/usr}"
done
# The path of the loader that stands in the program is a link.
(cd "$tools" && find . -name 'ld-linux*.so.*' -type l -exec cp --parents --no-dereference {} "$files" \;)
cp "$BUSYBOX" "$files/bin/busybox"
for name in sh nc printf sha256sum wget cat ls; do ln -s busybox "$files/bin/$name"; done
printf 'root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n' >"$files/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\n' >"$files/etc/group"
printf 'hosts: files dns\n' >"$files/etc/nsswitch.conf"
echo "building $tag" >&2
"$docker" build --quiet --label dispatchfile.inputs="$inputs" --tag "$tag" --file "$here/Dockerfile" "$work" >/dev/null
