"""Scripts of steps; written by `python -m dispatchfile.tekton.scripts`, not by hand."""

RESULTS = (
    "#!/bin/sh\n"
    "set -eu\n"
    "\n"
    "line_end='\n"
    "'\n"
    "return=$(printf '\\r')\n"
    "\n"
    "printf '%s\\n' \"$RESULTS\" | while read -r output result; do\n"
    '    if [ "$(tr -d \'\\000\' <"$output" | wc -c)" -ne "$(wc -c <"$output")" ]; then\n'
    '        echo "the output of step ${result##*/} cannot be a result: it holds a zero byte; pass it on as a resource" >&2\n'
    "        exit 1\n"
    "    fi\n"
    '    text=$(cat "$output" && printf x) # without the x, the shell would drop all line ends\n'
    "    text=${text%x}\n"
    '    text=${text%"$line_end"}\n'
    '    printf %s "${text%"$return"}" >"$result"\n'
    "done\n"
)
