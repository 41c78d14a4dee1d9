#!/bin/sh
# A storage resource as output: what the task left goes to a bucket, or a place in one.
#
# STORAGE_LOCATION, STORAGE_DIR (any value: a directory, in which nothing else stays): as the parameters of the
# resource. STORAGE_FROM
set -eu

HOME=$(mktemp -d) # what gsutil notes down is not for the steps
if [ -n "${GOOGLE_APPLICATION_CREDENTIALS-}" ]; then
    gcloud auth activate-service-account --key-file="$GOOGLE_APPLICATION_CREDENTIALS"
fi
if [ -n "${STORAGE_DIR-}" ]; then
    gsutil rsync -d -r "$STORAGE_FROM" "$STORAGE_LOCATION"
elif [ -n "$(ls -A "$STORAGE_FROM")" ]; then
    gsutil cp -r "$STORAGE_FROM/*" "$STORAGE_LOCATION"
else
    echo "nothing to store in $STORAGE_LOCATION"
fi
