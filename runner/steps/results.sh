#!/bin/sh
# Makes the standard output of steps, which other tasks read, results of the task: without one line end at its end, as
# a local run hands it on. Runs behind the steps: were a result there before, each of them would tell it again.
#
# Arguments: the file with an output, the file of the result, and so on in pairs.
# ROOM: bytes that a cluster has for all of them as JSON, if nobody set it up for more.
set -eu

size=0
line_end='
'
while [ $# -gt 0 ]; do
    if [ "$(tr -d '\000' <"$1" | wc -c)" -ne "$(wc -c <"$1")" ]; then
        echo "the output of step ${2##*/} cannot be a result: it holds a zero byte; pass it on as a resource" >&2
        exit 1
    fi
    text=$(cat "$1" && printf x) # the x keeps the shell from dropping all line ends
    text=${text%x}
    text=${text%"$line_end"}
    printf %s "${text%"$(printf '\r')"}" >"$2"
    # In JSON some have a backslash before them, and others are as \u003c.
    size=$((size + $(wc -c <"$2") + $(tr -dc '"\\\n\r\t' <"$2" | wc -c) + 5 * $(tr -dc '<>&' <"$2" | wc -c)))
    shift 2
done
if [ $((size * 10)) -gt $((ROOM * 9)) ]; then
    echo "warning: the results of this task have $size bytes, and a cluster takes $ROOM from its pod unless it is set up for more (results-from: sidecar-logs): if the run says that a result is missing, print less, or pass it on as a resource" >&2
fi
