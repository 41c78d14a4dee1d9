"""Scripts of steps; written by `python -m dispatchfile.tekton.scripts`, not by hand."""

CLONE = (
    "#!/bin/sh\n"
    "set -euf\n"
    "umask 000\n"
    "export GIT_TERMINAL_PROMPT=0\n"
    "wanted=${CLONE_REVISION:-HEAD} here=refs/dispatchfile/revision shallow=--depth=${CLONE_DEPTH:-1}\n"
    'if [ "$shallow" = --depth=0 ]; then shallow=; fi\n'
    "if printf '%s\\n' \"$wanted\" | grep -Eqx '[0-9a-f]{64}'; then export GIT_DEFAULT_HASH=sha256; fi\n"
    "\n"
    'mkdir -p -- "$CLONE_TO" "$HOME/.config/git" "$@"\n'
    'cd -- "$CLONE_TO"\n'
    "rm -rf .git\n"
    'find . "$@" -type d ! -perm 777 -exec chmod 777 {} +\n'
    "\n"
    "# For all users; not in .gitconfig, which Tekton writes anew for each step.\n"
    "git config --file \"$HOME/.config/git/config\" safe.directory '*'\n"
    'if [ -e "$HOME/.ssh/config" ]; then # ssh itself does not heed HOME\n'
    "    hosts=StrictHostKeyChecking=accept-new\n"
    '    if [ -e "$HOME/.ssh/known_hosts" ]; then hosts=\'UserKnownHostsFile="$HOME/.ssh/known_hosts"\'; fi\n'
    '    git config --file "$HOME/.config/git/config" core.sshCommand "ssh -F \\"\\$HOME/.ssh/config\\" -o $hosts"\n'
    "fi\n"
    "\n"
    "git init -q\n"
    'git remote add -- origin "$CLONE_URL"\n'
    'if [ -n "${GIT_SSL_NO_VERIFY-}" ]; then git config http.sslVerify false; fi\n'
    'fetch() { git fetch -q --force --update-head-ok "$@"; }\n'
    'if [ -n "${CLONE_REFSPEC-}" ]; then fetch $shallow -- origin $CLONE_REFSPEC; fi\n'
    'if [ -z "${CLONE_REVISION-}" ] || ! git update-ref -- "$here" "$wanted^{commit}" 2>/dev/null; then\n'
    "    # Into a reference, so that its tags come too. Not every server gives out a commit that is no tip.\n"
    '    said=$(fetch $shallow -- origin "+$wanted:$here" 2>&1) || {\n'
    "        fetch --tags -- origin\n"
    '        git update-ref -- "$here" "$wanted^{commit}" 2>/dev/null || { echo "$said" >&2; exit 1; }\n'
    "    }\n"
    "fi\n"
    'git checkout -q --force --detach "$here"\n'
    'git update-ref -d "$here"\n'
    'if [ -e .gitmodules ] && [ "${CLONE_SUBMODULES-}" != false ]; then\n'
    "    git submodule -q update --init --recursive $shallow 2>/dev/null || {\n"
    "        git submodule -q deinit --force --all && rm -rf .git/modules\n"
    "        said=$(git submodule -q update --init --recursive 2>&1) || {\n"
    "            echo \"$said\" | sed 's,://[^/@ ]*@,://,g' >&2\n"
    "            exit 1\n"
    "        }\n"
    "    }\n"
    "fi\n"
    'echo "$CLONE_TO is at $(git rev-parse HEAD)"\n'
    "\n"
    "# Credentials are this step's: others get their own, and could neither read nor replace these as another user.\n"
    "if [ -d /tekton/creds ]; then\n"
    '    rm -rf -- "$HOME/.gitconfig" "$HOME/.git-credentials" "$HOME/.ssh" "$HOME/.docker/config.json"\n'
    '    [ ! -d "$HOME/.docker" ] || chmod 777 "$HOME/.docker"\n'
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
    "while [ $# -gt 0 ]; do\n"
    '    mkdir -p -- "$2"\n'
    '    cp -a -- "$1/." "$2"\n'
    '    chmod -R a+rwX -- "$2"\n'
    "    shift 2\n"
    "done\n"
    "\n"
    "# Credentials are this step's: others get their own, and could neither read nor replace these as another user.\n"
    "if [ -d /tekton/creds ]; then\n"
    '    rm -rf -- "$HOME/.gitconfig" "$HOME/.git-credentials" "$HOME/.ssh" "$HOME/.docker/config.json"\n'
    '    [ ! -d "$HOME/.docker" ] || chmod 777 "$HOME/.docker"\n'
    "fi\n"
)

DIGESTS = (
    "#!/bin/sh\n"
    "set -eu\n"
    "\n"
    "while [ $# -gt 0 ]; do\n"
    "    name=${1##*/} index=$1/index.json digest=\n"
    '    [ -e "$index" ] || index=$HOME/image-outputs/$name/index.json\n'
    '    if [ -e "$index" ]; then\n'
    "        digest=$(tr -d ' \\t\\r\\n' <\"$index\" | grep -x '{.*\"manifests\":\\[.*}' |\n"
    '            grep -o \'"digest":"sha256:[0-9a-f]\\{64\\}"\') || {\n'
    '            echo "$index is no OCI image index with a digest: the tool that wrote it may have failed" >&2\n'
    "            exit 1\n"
    "        }\n"
    '        digest=$(echo "$digest" | cut -d \'"\' -f 4)\n'
    "        if [ ${#digest} -ne 71 ]; then digest=sha256:$(sha256sum <\"$index\" | cut -d ' ' -f 1); fi # of several: its own\n"
    '    elif [ "$3" = required ]; then\n'
    '        echo "image $name has no digest: let a step write its OCI layout to $1 (kaniko: --oci-layout-path=$1)" >&2\n'
    "        exit 1\n"
    "    fi\n"
    '    echo "image $name: ${digest:-no digest}"\n'
    '    printf %s "$2" >"$4"\n'
    '    printf %s "$digest" >"$5"\n'
    "    shift 5\n"
    "done\n"
)

FETCH = (
    "#!/bin/sh\n"
    "set -eu\n"
    "umask 000\n"
    "\n"
    "# Credentials are this step's: others get their own, and could neither read nor replace these as another user.\n"
    "if [ -d /tekton/creds ]; then\n"
    '    rm -rf -- "$HOME/.gitconfig" "$HOME/.git-credentials" "$HOME/.ssh" "$HOME/.docker/config.json"\n'
    '    [ ! -d "$HOME/.docker" ] || chmod 777 "$HOME/.docker"\n'
    "fi\n"
    "\n"
    "HOME=$(mktemp -d) # what gsutil notes down is not for the steps\n"
    'if [ -n "${GOOGLE_APPLICATION_CREDENTIALS-}" ]; then\n'
    '    gcloud auth activate-service-account --key-file="$GOOGLE_APPLICATION_CREDENTIALS"\n'
    "fi\n"
    'mkdir -p -- "$STORAGE_TO"\n'
    'if [ -n "${STORAGE_OPTIONAL-}" ] && ! said=$(gsutil ls "$STORAGE_LOCATION" 2>&1); then\n'
    "    case $said in *'matched no objects'*) echo \"$STORAGE_LOCATION holds nothing yet\"; exit 0 ;; esac\n"
    "    printf '%s\\n' \"$said\" >&2\n"
    "    exit 1\n"
    "fi\n"
    'if [ -z "${STORAGE_DIR-}" ] && gsutil -q stat "$STORAGE_LOCATION" 2>/dev/null; then\n'
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
    'mkdir -p -- "$@" "$HOME/.config/git"\n'
    'find "$@" "$HOME/.config" -type d ! -perm 777 -exec chmod 777 {} +\n'
    "\n"
    "# For all users; not in .gitconfig, which Tekton writes anew for each step.\n"
    "git config --file \"$HOME/.config/git/config\" safe.directory '*'\n"
    "\n"
    "# Credentials are this step's: others get their own, and could neither read nor replace these as another user.\n"
    "if [ -d /tekton/creds ]; then\n"
    '    rm -rf -- "$HOME/.gitconfig" "$HOME/.git-credentials" "$HOME/.ssh" "$HOME/.docker/config.json"\n'
    '    [ ! -d "$HOME/.docker" ] || chmod 777 "$HOME/.docker"\n'
    "fi\n"
)

RESULTS = (
    "#!/bin/sh\n"
    "set -eu\n"
    "\n"
    "size=0\n"
    "line_end='\n"
    "'\n"
    "while [ $# -gt 0 ]; do\n"
    '    if [ "$(tr -d \'\\000\' <"$1" | wc -c)" -ne "$(wc -c <"$1")" ]; then\n'
    '        echo "the output of step ${2##*/} cannot be a result: it holds a zero byte; pass it on as a resource" >&2\n'
    "        exit 1\n"
    "    fi\n"
    '    text=$(cat "$1" && printf x) # the x keeps the shell from dropping all line ends\n'
    "    text=${text%x}\n"
    '    text=${text%"$line_end"}\n'
    '    printf %s "${text%"$(printf \'\\r\')"}" >"$2"\n'
    "    # In JSON some have a backslash before them, and others are as \\u003c.\n"
    '    size=$((size + $(wc -c <"$2") + $(tr -dc \'"\\\\\\n\\r\\t\' <"$2" | wc -c) + 5 * $(tr -dc \'<>&\' <"$2" | wc -c)))\n'
    "    shift 2\n"
    "done\n"
    "if [ $((size * 10)) -gt $((ROOM * 9)) ]; then\n"
    '    echo "warning: the results of this task have $size bytes, and a cluster takes $ROOM from its pod unless it is set up for more (results-from: sidecar-logs): if the run says that a result is missing, print less, or pass it on as a resource" >&2\n'
    "fi\n"
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
    "# Prints the hash of the reference that is called just so.\n"
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
    "    # In the order in which git fetch looks; ^{} is the commit of an annotated tag.\n"
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
    "HOME=$(mktemp -d) # what gsutil notes down is not for the steps\n"
    'if [ -n "${GOOGLE_APPLICATION_CREDENTIALS-}" ]; then\n'
    '    gcloud auth activate-service-account --key-file="$GOOGLE_APPLICATION_CREDENTIALS"\n'
    "fi\n"
    'if [ -n "${STORAGE_DIR-}" ]; then\n'
    '    gsutil rsync -d -r "$STORAGE_FROM" "$STORAGE_LOCATION"\n'
    'elif [ -n "$(ls -A "$STORAGE_FROM")" ]; then\n'
    '    gsutil cp -r "$STORAGE_FROM/*" "$STORAGE_LOCATION"\n'
    "else\n"
    '    echo "nothing to store in $STORAGE_LOCATION"\n'
    "fi\n"
)
