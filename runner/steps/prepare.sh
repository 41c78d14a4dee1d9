#!/bin/sh
# Directories that a task finds empty and writable for every user: those of its arguments. They may be there already,
# as a volume's, or made by root for steps that start in them or below.
set -eu
umask 000

mkdir -p -- "$@" "$HOME/.config/git"
find "$@" "$HOME/.config" -type d ! -perm 777 -exec chmod 777 {} +

# For all users; not in .gitconfig, which Tekton writes anew for each step.
git config --file "$HOME/.config/git/config" safe.directory '*'

# Credentials are this step's: others get their own, and could neither read nor replace these as another user.
if [ -d /tekton/creds ]; then
    rm -rf -- "$HOME/.gitconfig" "$HOME/.git-credentials" "$HOME/.ssh" "$HOME/.docker/config.json"
    [ ! -d "$HOME/.docker" ] || chmod 777 "$HOME/.docker"
fi
