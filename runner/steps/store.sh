#!/bin/sh
# A storage resource as output: what the task left goes to a bucket, or a place in one.
#
# STORAGE_LOCATION, STORAGE_DIR (not empty: a directory, in which nothing else stays): as the parameters of the
# resource. STORAGE_FROM
set -eu

fail() {
    printf 'storage %s: %s\n' "${STORAGE_FROM##*/}" "$1" >&2
    exit 1
}
case $STORAGE_LOCATION in
gs://* | s3://*) ;;
*) fail "its location begins with neither gs:// nor s3://: $STORAGE_LOCATION" ;;
esac

# What the tools note down stays out of the home directory of the steps.
HOME=$(mktemp -d)
export HOME
if [ -n "${GOOGLE_APPLICATION_CREDENTIALS-}" ]; then
    gcloud auth activate-service-account --key-file="$GOOGLE_APPLICATION_CREDENTIALS"
fi

if [ -n "$STORAGE_DIR" ]; then
    gsutil rsync -d -r "$STORAGE_FROM" "$STORAGE_LOCATION"
elif [ -n "$(ls -A "$STORAGE_FROM")" ]; then
    gsutil cp -r "$STORAGE_FROM/*" "$STORAGE_LOCATION"
else
    echo "nothing to store in $STORAGE_LOCATION"
fi
