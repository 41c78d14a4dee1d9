#!/bin/sh
# Writes the PipelineRun of a schedule, with the commit in it that a revision names now. The run goes without where no
# commit is found, as for a private repository: git fetches the revision by its name then.
#
# REPOSITORY, REVISION: what to look up. FALLBACK: the revision, as it stands in a string of JSON.
# TEMPLATE: the file of the run, 40 zeros where the commit goes. RUN: the file to write.
set -eu

mark=0000000000000000000000000000000000000000

is_commit() {
    printf '%s\n' "$1" | grep -Eqx '[0-9a-f]{40}([0-9a-f]{24})?'
}

# Prints the hash of the reference that is called just so.
hash_of() {
    printf '%s\n' "$listed" | while read -r hash reference; do
        if [ "$reference" = "$1" ]; then
            printf %s "$hash"
            break
        fi
    done
}

commit=
if is_commit "$REVISION"; then
    commit=$REVISION
elif listed=$(git ls-remote -- "$REPOSITORY"); then
    # In the order in which git fetch looks; ^{} is the commit of an annotated tag.
    for name in "$REVISION" "refs/$REVISION" "refs/tags/$REVISION" "refs/heads/$REVISION"; do
        commit=$(hash_of "$name^{}")
        [ -n "$commit" ] || commit=$(hash_of "$name")
        [ -z "$commit" ] || break
    done
fi
if is_commit "$commit"; then
    echo "$REVISION of $REPOSITORY is $commit"
else
    echo "warning: no commit found for $REVISION of $REPOSITORY; the run gets the name itself" >&2
    commit=$FALLBACK
fi

rest=$(cat "$TEMPLATE")
made=
while [ "${rest#*"$mark"}" != "$rest" ]; do
    made=$made${rest%%"$mark"*}$commit
    rest=${rest#*"$mark"}
done
printf '%s%s\n' "$made" "$rest" >"$RUN"
