#!/bin/sh
# What the scripts call of gsutil, on directories: BUCKETS/B/… is s3://B/…; what it was called with goes to BUCKETS.calls.
set -eu
echo "$*" >>"$BUCKETS.calls"
place() { case $1 in *://*) echo "$BUCKETS/${1#*://}" ;; *) echo "$1" ;; esac; }
case $1 in -q) shift ;; esac
command=$1
shift
case $command in
ls)
    [ -e "$(place "$1")" ] && exit
    case $1 in *forbidden*) echo "AccessDeniedException: 403" >&2 ;; *) echo "CommandException: One or more URLs matched no objects." >&2 ;; esac
    exit 1
    ;;
stat) [ -f "$(place "$1")" ] ;;
rsync)
    [ "$1 $2" = "-d -r" ]
    [ -d "$(place "$3")" ] || { echo "CommandException: arg ($3) does not name a directory" >&2; exit 1; }
    case $4 in *://*) mkdir -p "$(place "$4")" ;; esac
    find "$(place "$4")" -mindepth 1 -delete
    cp -R "$(place "$3")/." "$(place "$4")"
    ;;
cp)
    case $1 in -r) shift ;; esac
    case $2 in *://*) mkdir -p "$(place "$2")" ;; esac
    eval "cp -R $(place "$1") \"\$(place \"$2\")\"" # it knows wildcards itself
    ;;
*) exit 2 ;;
esac
