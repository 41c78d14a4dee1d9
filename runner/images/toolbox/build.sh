#!/bin/sh
# Build the image of the examples and tests: build.sh [TAG]. Nothing is done when it was built from the same files.
# Settings: BUSYBOX (a statically linked one), DOCKER (docker or podman).
set -eu

tag=${1:-dispatchfile/toolbox:latest}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
docker=${DOCKER:-docker}
busybox=${BUSYBOX:-$(command -v busybox)}

inputs=$(cat "$here/build.sh" "$here/Dockerfile" "$busybox" | sha256sum | cut -c1-32)
if [ "$("$docker" image inspect --format '{{index .Config.Labels "dispatchfile.inputs"}}' "$tag" 2>&1)" = "$inputs" ]; then
    echo "$tag is up to date" >&2
    exit 0
fi

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cp "$busybox" "$work/busybox"
printf 'root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n' >"$work/passwd"
printf 'root:x:0:\nnogroup:x:65534:\n' >"$work/group"
echo "building $tag" >&2
"$docker" build --quiet --label dispatchfile.inputs="$inputs" --tag "$tag" --file "$here/Dockerfile" "$work" >/dev/null
