#!/bin/sh
# URL and digest of each image that a task made, as results of the task.
#
# Five arguments for each: its name, its URL, "read" when another task reads the digest, the files for URL and digest.
# The digest is that of the one manifest in index.json of an OCI layout (OCI Image Format 1.0) in /workspace/output/NAME
# or the older HOME/image-outputs/NAME, or of index.json itself when it lists several. OUTPUTS: /workspace/output
set -eu

fail() {
    printf '%s\n' "$1" >&2
    exit 1
}

# Prints the digests in the list "manifests", one a line, and "end" when the JSON is whole.
manifests() {
    awk '
        { text = text $0 "\n" }
        END {
            size = length(text); depth = 0; count = -1
            for (at = 1; at <= size; at++) {
                c = substr(text, at, 1)
                if (c ~ /[ \t\r\n,:]/) continue
                in_list = depth == 2 && open[2] == "[" && key[1] == "manifests"
                if (c == "{" || c == "[") {
                    if (depth == 0 && (c == "[" || seen)) exit 1
                    if (depth == 1 && key[1] == "manifests") { if (c == "{") exit 1; count = 0 }
                    if (in_list && c == "{") { count++; digest[count] = "" } else if (in_list) exit 1
                    depth++; open[depth] = c; key[depth] = ""; seen = 1
                } else if (c == "}" || c == "]") {
                    if (depth == 0 || open[depth] != (c == "}" ? "{" : "[")) exit 1
                    depth--
                } else {
                    start = at
                    if (c == "\"") {
                        at++
                        while (at <= size && (c = substr(text, at, 1)) != "\"") at += c == "\\" ? 2 : 1
                        if (at > size) exit 1
                        word = substr(text, start + 1, at - start - 1)
                        rest = at + 1
                        while (substr(text, rest, 1) ~ /[ \t\r\n]/) rest++
                        if (open[depth] == "{" && substr(text, rest, 1) == ":") { key[depth] = word; at = rest; continue }
                    } else {
                        while (at < size && substr(text, at + 1, 1) !~ /[][{}," \t\r\n:]/) at++
                        word = substr(text, start, at - start + 1)
                        if (word !~ /^(true|false|null|-?[0-9].*)$/) exit 1
                    }
                    if (depth == 0 || in_list || (depth == 1 && key[1] == "manifests")) exit 1
                    inside = depth == 3 && open[2] == "[" && key[1] == "manifests"
                    if (inside && open[3] == "{" && key[3] == "digest") digest[count] = word
                }
            }
            if (depth || count < 0) exit 1
            for (one = 1; one <= count; one++) { if (digest[one] == "") exit 1; print digest[one] }
        }' "$1"
}

digest_of() {
    found=$(manifests "$1") || fail "$1 is no OCI image index: the tool that wrote it may have failed"
    if [ "$(printf %s "$found" | grep -c '')" -ne 1 ]; then
        found=sha256:$(sha256sum <"$1" | cut -d ' ' -f 1)
    fi
    printf %s "$found" | grep -Eqx 'sha256:[0-9a-f]{64}' || fail "$1 names a digest that is none: $found"
}

while [ $# -gt 0 ]; do
    found=
    for layout in "$OUTPUTS/$1" "$HOME/image-outputs/$1"; do
        if [ -e "$layout/index.json" ]; then
            digest_of "$layout/index.json"
            break
        fi
    done
    if [ -n "$found" ]; then
        echo "image $1: $found"
    elif [ -n "$3" ]; then
        fail "the task left no digest for image $1: no OCI layout at $OUTPUTS/$1; let a step write it there (kaniko: --oci-layout-path=$OUTPUTS/$1)"
    fi
    printf %s "$2" >"$4"
    printf %s "$found" >"$5"
    shift 5
done
