#!/bin/sh
# Directories that a task finds empty and writable for every user: those of its arguments.
set -eu
umask 000

# They may be there already: as a volume's, or made by root for steps that start in them or below.
for folder in "$@"; do
    mkdir -p -- "$folder"
    find "$folder" -type d ! -perm 777 -exec chmod 777 {} \;
done

# Steps may run as any user. Not in .gitconfig: where there are credentials, each step gets that anew.
mkdir -p "$HOME/.config/git"
git config --file "$HOME/.config/git/config" safe.directory '*'
