#!/bin/sh
# Build the image of the GitOps update task: build.sh [--fresh] [TAG]
#
# Without BASE the base image is made from the packages of this Debian or Ubuntu: downloaded and unpacked, not
# installed, as any user, with no image registry. BASE=IMAGE takes another one. Nothing is done when the image was
# built from the same inputs before; --fresh builds the base anew, with today's packages.
# Settings: BASE, PYTHON (one with pip), DOCKER (docker or podman).
set -eu

fresh=
if [ "${1-}" = --fresh ]; then fresh=yes; shift; fi
tag=${1:-dispatchfile/update-gitops-repo:latest}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
top=$(CDPATH='' cd -- "$here/../../.." && pwd)
docker=${DOCKER:-docker}
python=${PYTHON:-python3}
if [ -z "${PYTHON-}" ] && [ -x "$top/.venv/bin/python" ]; then python=$top/.venv/bin/python; fi

# What Debian's packages ask for and the task does not: perl, documentation, accounts and maintainer scripts.
unwanted='perl|^(git-man|debconf|passwd|adduser|usrmerge|init-system-helpers|dpkg|tar|openssl|pinentry-.*|media-types'
unwanted="$unwanted|readline-common|libpam.*|libsem.*|libsepol.*|libdb5.*|libgdbm.*|libaudit.*|libcap-ng0|libtirpc.*"
unwanted="$unwanted|libnsl2|gcc-.*-base|libacl1|libmd0)\$"
packages='python3 git ca-certificates busybox-static openssh-client gpg gpg-agent'

label() {
    "$docker" image inspect --format '{{index .Config.Labels "dispatchfile.inputs"}}' "$1" 2>/dev/null || true
}

hash_of() { sha256sum | cut -c1-32; }

unpack_packages() {
    mkdir "$work/deb" "$work/root"
    : >"$work/status"
    cd "$work/deb"
    set -- -q -o Dir::State::status="$work/status"
    if ! apt-cache show git >/dev/null 2>&1; then
        mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
        set -- "$@" -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache"
        apt-get "$@" update >&2
    fi
    # Asked for on an empty machine, apt names everything that is needed.
    # shellcheck disable=SC2086 # the names are words
    wanted=$(apt-get "$@" --simulate --no-install-recommends install $packages |
        awk '$1 == "Inst" { print $2 }' | grep -Ev "$unwanted")
    # shellcheck disable=SC2086 # the names are words
    apt-get "$@" download $wanted >&2
    cd "$work/root"
    # Today's layout: the old top directories are links into /usr.
    mkdir -p usr/bin usr/sbin usr/lib usr/lib64 etc/ssl/certs tmp root workspace
    for name in bin sbin lib lib64; do ln -s "usr/$name" "$name"; done
    chmod 1777 tmp
    for package in "$work"/deb/*.deb; do
        dpkg-deb --fsys-tarfile "$package" | tar -x --keep-directory-symlink --no-same-owner \
            --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' \
            --exclude='./usr/share/info/*' --exclude='./usr/share/lintian/*' --exclude='./usr/share/perl5/*' \
            --exclude='./usr/lib/python3*/test' --exclude='./usr/lib/python3*/lib2to3' \
            --exclude='./usr/lib/python3*/pydoc_data' --exclude='./usr/share/gitweb'
    done
    cat usr/share/ca-certificates/mozilla/*.crt >etc/ssl/certs/ca-certificates.crt
    printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/sh\n' >etc/passwd
    printf 'root:x:0:\nnogroup:x:65534:\n' >etc/group
    printf 'hosts: files dns\n' >etc/nsswitch.conf
    for name in $(busybox --list-full 2>/dev/null || "$work/root/bin/busybox" --list-full); do
        [ -e "usr/bin/${name##*/}" ] || ln -s busybox "usr/bin/${name##*/}"
    done
}

install_libraries() {
    version=$(cd "$work/root/usr/lib" && echo python3.[0-9]* | sed 's/^python\([0-9.]*\).*/\1/')
    requirements=$(sed -n 's/^  "\(\(requests\|PyYAML\)[^"]*\)",.*$/\1/p' "$top/pyproject.toml")
    machine=$(uname -m)
    # shellcheck disable=SC2086 # the requirements are words
    "$python" -m pip install --quiet --disable-pip-version-check --no-compile --only-binary=:all: \
        --python-version "$version" --platform "manylinux2014_$machine" --platform "manylinux_2_28_$machine" \
        --target "$work/root/usr/lib/python3/dist-packages" $requirements >&2
}

build_base() {
    echo "making the base image $base from Debian packages" >&2
    unpack_packages
    install_libraries
    tar -c -C "$work/root" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner . |
        "$docker" import --change 'ENV PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin LANG=C.UTF-8' \
            --change "LABEL dispatchfile.inputs=$base_inputs" - "$base" >/dev/null
}

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

base=${BASE:-dispatchfile/update-gitops-base:latest}
base_inputs=given
if [ -z "${BASE-}" ]; then
    base_inputs=$( (cat "$here/build.sh"; grep -E '^  "(requests|PyYAML)' "$top/pyproject.toml"; uname -m) | hash_of)
    if [ -n "$fresh" ] || [ "$(label "$base")" != "$base_inputs" ]; then build_base; fi
fi

mkdir "$work/context"
(cd "$top" && find dispatchfile -name '*.py' | LC_ALL=C sort | tar -c -T - --mtime=@0) | tar -x -C "$work/context"
cp "$here/Dockerfile" "$here/update-gitops-repo" "$work/context/"
base_id=$("$docker" image inspect --format '{{.Id}}' "$base" 2>/dev/null || echo "$base")
inputs=$(cd "$work/context" && (echo "$base_id"; find . -type f | LC_ALL=C sort | xargs cat) | hash_of)
if [ "$(label "$tag")" = "$inputs" ]; then
    echo "$tag is up to date" >&2
    exit 0
fi
echo "building $tag" >&2
"$docker" build --quiet --build-arg BASE="$base" --label dispatchfile.inputs="$inputs" --tag "$tag" "$work/context" >/dev/null
