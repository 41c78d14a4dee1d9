#!/bin/sh
# Directories that a task finds empty and writable for every user: those of its arguments.
set -eu
umask 000

# Tekton put the credentials here for this step and its user alone: each step gets them anew, and where it runs as
# another user it can neither read nor replace these.
if [ -d /tekton/creds ]; then
    rm -rf -- "$HOME/.gitconfig" "$HOME/.git-credentials" "$HOME/.ssh" "$HOME/.docker/config.json"
    [ ! -d "$HOME/.docker" ] || chmod 777 "$HOME/.docker" # it stays: it may be mounted elsewhere too
fi

# They may be there already: as a volume's, or made by root for steps that start in them or below.
for folder in "$@"; do
    mkdir -p -- "$folder"
    find "$folder" -type d ! -perm 777 -exec chmod 777 {} \;
done

# Steps may run as any user. Not in .gitconfig: where there are credentials, each step gets that anew.
mkdir -p "$HOME/.config/git"
git config --file "$HOME/.config/git/config" safe.directory '*'
