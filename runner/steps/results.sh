#!/bin/sh
# Makes the standard output of steps, which other tasks read, results of the task: without one line end at its end, as
# a local run hands it on. Runs behind the steps: were a result there before, each of them would tell it again.
#
# RESULTS: a line for each, the file with the output and the file of the result, both without blanks in their names.
set -eu

line_end='
'
return=$(printf '\r')

printf '%s\n' "$RESULTS" | while read -r output result; do
    if [ "$(tr -d '\000' <"$output" | wc -c)" -ne "$(wc -c <"$output")" ]; then
        echo "the output of step ${result##*/} cannot be a result: it holds a zero byte; pass it on as a resource" >&2
        exit 1
    fi
    text=$(cat "$output" && printf x) # without the x, the shell would drop all line ends
    text=${text%x}
    text=${text%"$line_end"}
    printf %s "${text%"$return"}" >"$result"
done
