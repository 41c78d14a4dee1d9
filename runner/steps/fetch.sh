#!/bin/sh
# A storage resource as input: the content of a bucket, or of a place in one, writable for every user.
#
# STORAGE_LOCATION, STORAGE_DIR (any value: a directory): as the parameters of the resource. STORAGE_TO;
# STORAGE_OPTIONAL: any value when a task of the run puts the resource out, so that there may be nothing yet.
set -eu
umask 000

# Credentials are this step's: others get their own, and could neither read nor replace these as another user.
if [ -d /tekton/creds ]; then
    rm -rf -- "$HOME/.gitconfig" "$HOME/.git-credentials" "$HOME/.ssh" "$HOME/.docker/config.json"
    [ ! -d "$HOME/.docker" ] || chmod 777 "$HOME/.docker"
fi

HOME=$(mktemp -d) # what gsutil notes down is not for the steps
if [ -n "${GOOGLE_APPLICATION_CREDENTIALS-}" ]; then
    gcloud auth activate-service-account --key-file="$GOOGLE_APPLICATION_CREDENTIALS"
fi
mkdir -p -- "$STORAGE_TO"
if [ -n "${STORAGE_OPTIONAL-}" ] && ! said=$(gsutil ls "$STORAGE_LOCATION" 2>&1); then
    case $said in *'matched no objects'*) echo "$STORAGE_LOCATION holds nothing yet"; exit 0 ;; esac
    printf '%s\n' "$said" >&2
    exit 1
fi
if [ -z "${STORAGE_DIR-}" ] && gsutil -q stat "$STORAGE_LOCATION" 2>/dev/null; then
    gsutil cp "$STORAGE_LOCATION" "$STORAGE_TO/"
else
    gsutil rsync -d -r "$STORAGE_LOCATION" "$STORAGE_TO"
fi
chmod -R a+rwX -- "$STORAGE_TO"
