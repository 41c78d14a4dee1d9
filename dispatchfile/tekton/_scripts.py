"""Scripts of steps; written by `python -m dispatchfile.tekton.scripts`, not by hand."""

CLONE = (
    "#!/bin/sh\n"
    "set -euf\n"
    "umask 000\n"
    "export LC_ALL=C GIT_TERMINAL_PROMPT=0\n"
    "\n"
    "masked() { printf '%s\\n' \"$1\" | sed 's,://[^/@ ]*@,://,g'; }\n"
    "fail() {\n"
    '    masked "git resource ${CLONE_TO##*/}: $1" >&2\n'
    "    exit 1\n"
    "}\n"
    "reason() { printf '%s\\n' \"$said\" | grep -v '^Please make sure\\|^and the repository exists' | sed 's/^fatal: //' | paste -s -d ' ' -; }\n"
    "\n"
    "case $CLONE_URL in\n"
    "'') fail 'it has no url' ;;\n"
    '-*) fail "its url begins with a dash: $CLONE_URL" ;;\n'
    "esac\n"
    'case $CLONE_REVISION in -* | *[:*?[:space:]]*) fail "\\"$CLONE_REVISION\\" is no git revision" ;; esac\n'
    'case $CLONE_DEPTH in *[!0-9]*) fail "its depth is no number: $CLONE_DEPTH" ;; esac\n'
    "for word in $CLONE_REFSPEC; do\n"
    '    case $word in -*) fail "its refspec begins with a dash: $word" ;; esac\n'
    "done\n"
    "\n"
    "shallow=\n"
    "case $CLONE_DEPTH in *[!0]*) shallow=--depth=$CLONE_DEPTH ;; esac\n"
    "wanted=${CLONE_REVISION:-HEAD}\n"
    "here=refs/dispatchfile/revision\n"
    "\n"
    "is_commit() {\n"
    "    case $1 in *[!0-9a-f]*) return 1 ;; esac\n"
    "    [ ${#1} -ge 7 ]\n"
    "}\n"
    'fetch() { said=$(git fetch -q --force --update-head-ok "$@" 2>&1); }\n'
    "fetch_revision() {\n"
    '    if fetch $shallow origin "+$wanted:$here"; then return; fi\n'
    "    case $said in\n"
    '    *"couldn\'t find remote ref HEAD"*) fail "$CLONE_URL has no default branch: is it empty?" ;;\n'
    "    esac\n"
    '    if ! is_commit "$wanted"; then\n'
    "        case $said in\n"
    '        *"couldn\'t find remote ref"*) fail "$CLONE_URL has no branch, tag or commit \\"$wanted\\"" ;;\n'
    "        esac\n"
    '        fail "cannot fetch \\"$wanted\\" of $CLONE_URL: $(reason)"\n'
    "    fi\n"
    "    shallow=\n"
    '    fetch --tags origin || fail "cannot fetch $CLONE_URL: $(reason)"\n'
    '    found=$(git rev-parse -q --verify "$wanted^{commit}" 2>/dev/null) || fail "$CLONE_URL has no commit $wanted in its branches and tags"\n'
    '    git update-ref "$here" "$found"\n'
    "}\n"
    "\n"
    'rm -rf -- "$CLONE_TO/.git"\n'
    'mkdir -p -- "$CLONE_TO"\n'
    'cd -- "$CLONE_TO"\n'
    "find . -type d ! -perm 777 -exec chmod 777 {} \\;\n"
    "\n"
    'mkdir -p "$HOME/.config/git"\n'
    "git config --file \"$HOME/.config/git/config\" safe.directory '*'\n"
    "\n"
    "case $wanted in\n"
    "*[!0-9a-f]*) git -c init.defaultBranch=master init -q ;;\n"
    "*) if [ ${#wanted} -eq 64 ]; then git init -q --object-format=sha256; else git -c init.defaultBranch=master init -q; fi ;;\n"
    "esac\n"
    'git config remote.origin.url "$CLONE_URL"\n'
    "git config remote.origin.fetch '+refs/heads/*:refs/remotes/origin/*'\n"
    "case $CLONE_SSL_VERIFY in\n"
    "[fF][aA][lL][sS][eE])\n"
    "    git config http.sslVerify false\n"
    "    export GIT_SSL_NO_VERIFY=1\n"
    "    ;;\n"
    "esac\n"
    "\n"
    "ssh=ssh\n"
    'if [ -e "$HOME/.ssh/config" ]; then ssh="ssh -F \'$HOME/.ssh/config\'"; fi\n'
    'if [ -e "$HOME/.ssh/known_hosts" ]; then\n'
    "    ssh=\"$ssh -o UserKnownHostsFile='$HOME/.ssh/known_hosts'\"\n"
    "else\n"
    '    ssh="$ssh -o StrictHostKeyChecking=accept-new"\n'
    "fi\n"
    'if [ -d "$HOME/.ssh" ]; then git config core.sshCommand "$ssh"; fi\n'
    'export GIT_SSH_COMMAND="$ssh"\n'
    "\n"
    'if [ -n "$CLONE_REFSPEC" ]; then\n'
    '    fetch $shallow origin $CLONE_REFSPEC || fail "cannot fetch $CLONE_REFSPEC of $CLONE_URL: $(reason)"\n'
    "fi\n"
    'if [ -n "$CLONE_REFSPEC" ] && [ -n "$CLONE_REVISION" ] && commit=$(git rev-parse -q --verify "$wanted^{commit}" 2>/dev/null); then\n'
    '    git update-ref "$here" "$commit"\n'
    "else\n"
    "    fetch_revision\n"
    "fi\n"
    'commit=$(git rev-parse -q --verify "$here^{commit}" 2>/dev/null) || fail "\\"$wanted\\" of $CLONE_URL is no commit"\n'
    'said=$(git checkout -q --force --detach "$commit" 2>&1) || fail "cannot check out $commit: $(reason)"\n'
    'git update-ref -d "$here"\n'
    "\n"
    "case $CLONE_SUBMODULES in\n"
    "[fF][aA][lL][sS][eE]) ;;\n"
    "*)\n"
    "    if [ -e .gitmodules ] && ! said=$(git submodule --quiet update --init --recursive $shallow 2>&1); then\n"
    "        git submodule --quiet deinit --force --all >/dev/null 2>&1 || :\n"
    "        rm -rf .git/modules\n"
    '        said=$(git submodule --quiet update --init --recursive 2>&1) || fail "a submodule cannot be fetched: $(reason)"\n'
    "    fi\n"
    "    ;;\n"
    "esac\n"
    'masked "$CLONE_URL is at $commit in $CLONE_TO"\n'
    "\n"
    "if [ -d /tekton/creds ]; then\n"
    '    rm -rf -- "$HOME/.gitconfig" "$HOME/.git-credentials" "$HOME/.ssh" "$HOME/.docker/config.json"\n'
    '    [ ! -d "$HOME/.docker" ] || chmod 777 "$HOME/.docker" # it stays: it may be mounted elsewhere too\n'
    "fi\n"
)

COMMENT = (
    "#!/bin/sh\n"
    "set -euf\n"
    "\n"
    "rest=$COMMENT\n"
    "while :; do\n"
    "    case $rest in\n"
    "    '\\n'*) rest=${rest#??} ;;\n"
    "    [[:space:]]*) rest=${rest#?} ;;\n"
    "    *) break ;;\n"
    "    esac\n"
    "done\n"
    "set -- ${rest%%'\\n'*}\n"
    "shift\n"
    'printf %s "$*" >"$RESULT"\n'
)

COPY = (
    "#!/bin/sh\n"
    "set -eu\n"
    "umask 000\n"
    "\n"
    "if [ -d /tekton/creds ]; then\n"
    '    rm -rf -- "$HOME/.gitconfig" "$HOME/.git-credentials" "$HOME/.ssh" "$HOME/.docker/config.json"\n'
    '    [ ! -d "$HOME/.docker" ] || chmod 777 "$HOME/.docker" # it stays: it may be mounted elsewhere too\n'
    "fi\n"
    "\n"
    "while [ $# -gt 0 ]; do\n"
    '    mkdir -p -- "$2"\n'
    '    cp -a -- "$1/." "$2"\n'
    '    chmod -R a+rwX -- "$2"\n'
    "    shift 2\n"
    "done\n"
)

DIGESTS = (
    "#!/bin/sh\n"
    "set -eu\n"
    "\n"
    "fail() {\n"
    "    printf '%s\\n' \"$1\" >&2\n"
    "    exit 1\n"
    "}\n"
    "\n"
    "manifests() {\n"
    "    awk '\n"
    '        { text = text $0 "\\n" }\n'
    "        END {\n"
    "            size = length(text); depth = 0; count = -1\n"
    "            for (at = 1; at <= size; at++) {\n"
    "                c = substr(text, at, 1)\n"
    "                if (c ~ /[ \\t\\r\\n,:]/) continue\n"
    '                in_list = depth == 2 && open[2] == "[" && key[1] == "manifests"\n'
    '                if (c == "{" || c == "[") {\n'
    '                    if (depth == 0 && (c == "[" || seen)) exit 1\n'
    '                    if (depth == 1 && key[1] == "manifests") { if (c == "{") exit 1; count = 0 }\n'
    '                    if (in_list && c == "{") { count++; digest[count] = "" } else if (in_list) exit 1\n'
    '                    depth++; open[depth] = c; key[depth] = ""; seen = 1\n'
    '                } else if (c == "}" || c == "]") {\n'
    '                    if (depth == 0 || open[depth] != (c == "}" ? "{" : "[")) exit 1\n'
    "                    depth--\n"
    "                } else {\n"
    "                    start = at\n"
    '                    if (c == "\\"") {\n'
    "                        at++\n"
    '                        while (at <= size && (c = substr(text, at, 1)) != "\\"") at += c == "\\\\" ? 2 : 1\n'
    "                        if (at > size) exit 1\n"
    "                        word = substr(text, start + 1, at - start - 1)\n"
    "                        rest = at + 1\n"
    "                        while (substr(text, rest, 1) ~ /[ \\t\\r\\n]/) rest++\n"
    '                        if (open[depth] == "{" && substr(text, rest, 1) == ":") { key[depth] = word; at = rest; continue }\n'
    "                    } else {\n"
    '                        while (at < size && substr(text, at + 1, 1) !~ /[][{}," \\t\\r\\n:]/) at++\n'
    "                        word = substr(text, start, at - start + 1)\n"
    "                        if (word !~ /^(true|false|null|-?[0-9].*)$/) exit 1\n"
    "                    }\n"
    '                    if (depth == 0 || in_list || (depth == 1 && key[1] == "manifests")) exit 1\n'
    '                    inside = depth == 3 && open[2] == "[" && key[1] == "manifests"\n'
    '                    if (inside && open[3] == "{" && key[3] == "digest") digest[count] = word\n'
    "                }\n"
    "            }\n"
    "            if (depth || count < 0) exit 1\n"
    '            for (one = 1; one <= count; one++) { if (digest[one] == "") exit 1; print digest[one] }\n'
    '        }\' "$1"\n'
    "}\n"
    "\n"
    "digest_of() {\n"
    '    found=$(manifests "$1") || fail "$1 is no OCI image index: the tool that wrote it may have failed"\n'
    '    if [ "$(printf %s "$found" | grep -c \'\')" -ne 1 ]; then\n'
    "        found=sha256:$(sha256sum <\"$1\" | cut -d ' ' -f 1)\n"
    "    fi\n"
    '    printf %s "$found" | grep -Eqx \'sha256:[0-9a-f]{64}\' || fail "$1 names a digest that is none: $found"\n'
    "}\n"
    "\n"
    "while [ $# -gt 0 ]; do\n"
    "    found=\n"
    '    for layout in "$OUTPUTS/$1" "$HOME/image-outputs/$1"; do\n'
    '        if [ -e "$layout/index.json" ]; then\n'
    '            digest_of "$layout/index.json"\n'
    "            break\n"
    "        fi\n"
    "    done\n"
    '    if [ -n "$found" ]; then\n'
    '        echo "image $1: $found"\n'
    '    elif [ -n "$3" ]; then\n'
    '        fail "the task left no digest for image $1: no OCI layout at $OUTPUTS/$1; let a step write it there (kaniko: --oci-layout-path=$OUTPUTS/$1)"\n'
    "    fi\n"
    '    printf %s "$2" >"$4"\n'
    '    printf %s "$found" >"$5"\n'
    "    shift 5\n"
    "done\n"
)

FETCH = (
    "#!/bin/sh\n"
    "set -eu\n"
    "umask 000\n"
    "\n"
    "if [ -d /tekton/creds ]; then\n"
    '    rm -rf -- "$HOME/.gitconfig" "$HOME/.git-credentials" "$HOME/.ssh" "$HOME/.docker/config.json"\n'
    '    [ ! -d "$HOME/.docker" ] || chmod 777 "$HOME/.docker" # it stays: it may be mounted elsewhere too\n'
    "fi\n"
    "\n"
    "fail() {\n"
    '    printf \'storage %s: %s\\n\' "${STORAGE_TO##*/}" "$1" >&2\n'
    "    exit 1\n"
    "}\n"
    "case $STORAGE_LOCATION in\n"
    "gs://* | s3://*) ;;\n"
    '*) fail "its location begins with neither gs:// nor s3://: $STORAGE_LOCATION" ;;\n'
    "esac\n"
    "\n"
    "HOME=$(mktemp -d)\n"
    "export HOME\n"
    'if [ -n "${GOOGLE_APPLICATION_CREDENTIALS-}" ]; then\n'
    '    gcloud auth activate-service-account --key-file="$GOOGLE_APPLICATION_CREDENTIALS"\n'
    "fi\n"
    "\n"
    'mkdir -p -- "$STORAGE_TO"\n'
    'if [ -n "$STORAGE_OPTIONAL" ] && ! said=$(gsutil ls "$STORAGE_LOCATION" 2>&1); then\n'
    "    case $said in\n"
    "    *'matched no objects'*)\n"
    '        echo "$STORAGE_LOCATION holds nothing yet"\n'
    "        exit 0\n"
    "        ;;\n"
    "    esac\n"
    '    fail "$said"\n'
    "fi\n"
    'if [ -z "$STORAGE_DIR" ] && gsutil -q stat "$STORAGE_LOCATION" 2>/dev/null; then\n'
    '    gsutil cp "$STORAGE_LOCATION" "$STORAGE_TO/"\n'
    "else\n"
    '    gsutil rsync -d -r "$STORAGE_LOCATION" "$STORAGE_TO"\n'
    "fi\n"
    'chmod -R a+rwX -- "$STORAGE_TO"\n'
)

PREPARE = (
    "#!/bin/sh\n"
    "set -eu\n"
    "umask 000\n"
    "\n"
    "if [ -d /tekton/creds ]; then\n"
    '    rm -rf -- "$HOME/.gitconfig" "$HOME/.git-credentials" "$HOME/.ssh" "$HOME/.docker/config.json"\n'
    '    [ ! -d "$HOME/.docker" ] || chmod 777 "$HOME/.docker" # it stays: it may be mounted elsewhere too\n'
    "fi\n"
    "\n"
    'for folder in "$@"; do\n'
    '    mkdir -p -- "$folder"\n'
    '    find "$folder" -type d ! -perm 777 -exec chmod 777 {} \\;\n'
    "done\n"
    "\n"
    'mkdir -p "$HOME/.config/git"\n'
    "git config --file \"$HOME/.config/git/config\" safe.directory '*'\n"
)

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

SCHEDULE = (
    "#!/bin/sh\n"
    "set -eu\n"
    "\n"
    "mark=0000000000000000000000000000000000000000\n"
    "\n"
    "is_commit() {\n"
    "    printf '%s\\n' \"$1\" | grep -Eqx '[0-9a-f]{40}([0-9a-f]{24})?'\n"
    "}\n"
    "\n"
    "hash_of() {\n"
    "    printf '%s\\n' \"$listed\" | while read -r hash reference; do\n"
    '        if [ "$reference" = "$1" ]; then\n'
    '            printf %s "$hash"\n'
    "            break\n"
    "        fi\n"
    "    done\n"
    "}\n"
    "\n"
    "commit=\n"
    'if is_commit "$REVISION"; then\n'
    "    commit=$REVISION\n"
    'elif listed=$(git ls-remote -- "$REPOSITORY"); then\n'
    '    for name in "$REVISION" "refs/$REVISION" "refs/tags/$REVISION" "refs/heads/$REVISION"; do\n'
    '        commit=$(hash_of "$name^{}")\n'
    '        [ -n "$commit" ] || commit=$(hash_of "$name")\n'
    '        [ -z "$commit" ] || break\n'
    "    done\n"
    "fi\n"
    'if is_commit "$commit"; then\n'
    '    echo "$REVISION of $REPOSITORY is $commit"\n'
    "else\n"
    '    echo "warning: no commit found for $REVISION of $REPOSITORY; the run gets the name itself" >&2\n'
    "    commit=$FALLBACK\n"
    "fi\n"
    "\n"
    'rest=$(cat "$TEMPLATE")\n'
    "made=\n"
    'while [ "${rest#*"$mark"}" != "$rest" ]; do\n'
    '    made=$made${rest%%"$mark"*}$commit\n'
    '    rest=${rest#*"$mark"}\n'
    "done\n"
    'printf \'%s%s\\n\' "$made" "$rest" >"$RUN"\n'
)

STORE = (
    "#!/bin/sh\n"
    "set -eu\n"
    "\n"
    "fail() {\n"
    '    printf \'storage %s: %s\\n\' "${STORAGE_FROM##*/}" "$1" >&2\n'
    "    exit 1\n"
    "}\n"
    "case $STORAGE_LOCATION in\n"
    "gs://* | s3://*) ;;\n"
    '*) fail "its location begins with neither gs:// nor s3://: $STORAGE_LOCATION" ;;\n'
    "esac\n"
    "\n"
    "HOME=$(mktemp -d)\n"
    "export HOME\n"
    'if [ -n "${GOOGLE_APPLICATION_CREDENTIALS-}" ]; then\n'
    '    gcloud auth activate-service-account --key-file="$GOOGLE_APPLICATION_CREDENTIALS"\n'
    "fi\n"
    "\n"
    'if [ -n "$STORAGE_DIR" ]; then\n'
    '    gsutil rsync -d -r "$STORAGE_FROM" "$STORAGE_LOCATION"\n'
    'elif [ -n "$(ls -A "$STORAGE_FROM")" ]; then\n'
    '    gsutil cp -r "$STORAGE_FROM/*" "$STORAGE_LOCATION"\n'
    "else\n"
    '    echo "nothing to store in $STORAGE_LOCATION"\n'
    "fi\n"
)
