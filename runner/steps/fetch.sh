#!/bin/sh
# A storage resource as input: the content of a bucket, or of a place in one, writable for every user.
#
# STORAGE_LOCATION, STORAGE_DIR (not empty: a directory): as the parameters of the resource. STORAGE_TO;
# STORAGE_OPTIONAL: not empty when a task of the run puts the resource out, so that there may be nothing yet.
set -eu
umask 000

# Tekton put the credentials here for this step and its user alone: each step gets them anew, and where it runs as
# another user it can neither read nor replace these.
if [ -d /tekton/creds ]; then
    rm -rf -- "$HOME/.gitconfig" "$HOME/.git-credentials" "$HOME/.ssh" "$HOME/.docker/config.json"
    [ ! -d "$HOME/.docker" ] || chmod 777 "$HOME/.docker" # it stays: it may be mounted elsewhere too
fi

fail() {
    printf 'storage %s: %s\n' "${STORAGE_TO##*/}" "$1" >&2
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

mkdir -p -- "$STORAGE_TO"
if [ -n "$STORAGE_OPTIONAL" ] && ! said=$(gsutil ls "$STORAGE_LOCATION" 2>&1); then
    case $said in
    *'matched no objects'*)
        echo "$STORAGE_LOCATION holds nothing yet"
        exit 0
        ;;
    esac
    fail "$said"
fi
if [ -z "$STORAGE_DIR" ] && gsutil -q stat "$STORAGE_LOCATION" 2>/dev/null; then
    gsutil cp "$STORAGE_LOCATION" "$STORAGE_TO/"
else
    gsutil rsync -d -r "$STORAGE_LOCATION" "$STORAGE_TO"
fi
chmod -R a+rwX -- "$STORAGE_TO"
