#!/bin/sh
# Makes the standard output of steps, which other tasks read, results of the task: without one line end at its end, as
# a local run hands it on. Runs behind the steps: were a result there before, each of them would tell it again.
#
# Arguments: the file with an output, the file of the result, and so on in pairs.
set -eu

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
    shift 2
done
