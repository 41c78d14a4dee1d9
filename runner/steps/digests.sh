#!/bin/sh
# URL and digest of each image that a task made, as results of the task.
#
# Five arguments for each: where its OCI layout is (OCI Image Format 1.0), its URL, "required" when another task reads
# the digest, the files for URL and digest. The digest is that of the one manifest in index.json of the layout, there
# or in the older HOME/image-outputs/NAME, or of index.json itself when it lists several.
set -eu

while [ $# -gt 0 ]; do
    name=${1##*/} index=$1/index.json digest=
    [ -e "$index" ] || index=$HOME/image-outputs/$name/index.json
    if [ -e "$index" ]; then
        digest=$(tr -d ' \t\r\n' <"$index" | grep -x '{.*"manifests":\[.*}' |
            grep -o '"digest":"sha256:[0-9a-f]\{64\}"') || {
            echo "$index is no OCI image index with a digest: the tool that wrote it may have failed" >&2
            exit 1
        }
        digest=$(echo "$digest" | cut -d '"' -f 4)
        if [ ${#digest} -ne 71 ]; then digest=sha256:$(sha256sum <"$index" | cut -d ' ' -f 1); fi # of several: its own
    elif [ "$3" = required ]; then
        echo "image $name has no digest: let a step write its OCI layout to $1 (kaniko: --oci-layout-path=$1)" >&2
        exit 1
    fi
    echo "image $name: ${digest:-no digest}"
    printf %s "$2" >"$4"
    printf %s "$digest" >"$5"
    shift 5
done
