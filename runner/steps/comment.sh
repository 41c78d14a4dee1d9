#!/bin/sh
# What stands behind the first word in the first line of a comment, one space between its words, becomes a result.
#
# COMMENT: the comment as Pipelines-as-Code hands it on, `\n` for each end of a line; RESULT: the file of the result.
set -euf

rest=$COMMENT
while :; do
    case $rest in
    '\n'*) rest=${rest#??} ;;
    [[:space:]]*) rest=${rest#?} ;;
    *) break ;;
    esac
done
set -- ${rest%%'\n'*}
shift
printf %s "$*" >"$RESULT"
