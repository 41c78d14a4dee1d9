#!/bin/sh
# Inputs that another task made: copies, writable for every user. Arguments: from, to, from, to, …
set -eu
umask 000

# Tekton put the credentials here for this step and its user alone: each step gets them anew, and where it runs as
# another user it can neither read nor replace these.
if [ -d /tekton/creds ]; then
    rm -rf -- "$HOME/.gitconfig" "$HOME/.git-credentials" "$HOME/.ssh" "$HOME/.docker/config.json"
    [ ! -d "$HOME/.docker" ] || chmod 777 "$HOME/.docker" # it stays: it may be mounted elsewhere too
fi

while [ $# -gt 0 ]; do
    mkdir -p -- "$2"
    cp -a -- "$1/." "$2"
    chmod -R a+rwX -- "$2"
    shift 2
done
