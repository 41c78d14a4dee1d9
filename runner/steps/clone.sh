#!/bin/sh
# A git input of a task: what a depth-1 clone would be, detached at the revision, writable for every user.
#
# CLONE_TO, CLONE_URL, CLONE_REVISION (empty: the remote's default branch), CLONE_DEPTH (0: all), CLONE_SUBMODULES,
# CLONE_SSL_VERIFY, CLONE_REFSPEC: as the parameters of the resource; http_proxy and its kin as git itself knows them.
set -euf
umask 000
export LC_ALL=C GIT_TERMINAL_PROMPT=0

# Passwords in URLs are not for the log.
masked() { printf '%s\n' "$1" | sed 's,://[^/@ ]*@,://,g'; }
fail() {
    masked "git resource ${CLONE_TO##*/}: $1" >&2
    exit 1
}
# What git said, on one line.
reason() { printf '%s\n' "$said" | grep -v '^Please make sure\|^and the repository exists' | sed 's/^fatal: //' | paste -s -d ' ' -; }

case $CLONE_URL in
'') fail 'it has no url' ;;
-*) fail "its url begins with a dash: $CLONE_URL" ;;
esac
case $CLONE_REVISION in -* | *[:*?[:space:]]*) fail "\"$CLONE_REVISION\" is no git revision" ;; esac
case $CLONE_DEPTH in *[!0-9]*) fail "its depth is no number: $CLONE_DEPTH" ;; esac
for word in $CLONE_REFSPEC; do
    case $word in -*) fail "its refspec begins with a dash: $word" ;; esac
done

shallow=
case $CLONE_DEPTH in *[!0]*) shallow=--depth=$CLONE_DEPTH ;; esac
wanted=${CLONE_REVISION:-HEAD}
here=refs/dispatchfile/revision

# An id, or the beginning of one: not every server hands out a commit that is not the tip of something.
is_commit() {
    case $1 in *[!0-9a-f]*) return 1 ;; esac
    [ ${#1} -ge 7 ]
}
fetch() { said=$(git fetch -q --force --update-head-ok "$@" 2>&1); }
fetch_revision() {
    # With a place of its own in this repository, the tags that point at it come along.
    if fetch $shallow origin "+$wanted:$here"; then return; fi
    case $said in
    *"couldn't find remote ref HEAD"*) fail "$CLONE_URL has no default branch: is it empty?" ;;
    esac
    if ! is_commit "$wanted"; then
        case $said in
        *"couldn't find remote ref"*) fail "$CLONE_URL has no branch, tag or commit \"$wanted\"" ;;
        esac
        fail "cannot fetch \"$wanted\" of $CLONE_URL: $(reason)"
    fi
    shallow=
    fetch --tags origin || fail "cannot fetch $CLONE_URL: $(reason)"
    found=$(git rev-parse -q --verify "$wanted^{commit}" 2>/dev/null) || fail "$CLONE_URL has no commit $wanted in its branches and tags"
    git update-ref "$here" "$found"
}

# Directories may be there already: those in which steps start, made for them by root before the first step.
rm -rf -- "$CLONE_TO/.git"
mkdir -p -- "$CLONE_TO"
cd -- "$CLONE_TO"
find . -type d ! -perm 777 -exec chmod 777 {} \;

# Steps may run as any user. Not in .gitconfig: where there are credentials, each step gets that anew.
mkdir -p "$HOME/.config/git"
git config --file "$HOME/.config/git/config" safe.directory '*'

case $wanted in
*[!0-9a-f]*) git -c init.defaultBranch=master init -q ;;
*) if [ ${#wanted} -eq 64 ]; then git init -q --object-format=sha256; else git -c init.defaultBranch=master init -q; fi ;;
esac
git config remote.origin.url "$CLONE_URL"
git config remote.origin.fetch '+refs/heads/*:refs/remotes/origin/*'
case $CLONE_SSL_VERIFY in
[fF][aA][lL][sS][eE])
    git config http.sslVerify false
    export GIT_SSL_NO_VERIFY=1
    ;;
esac

# ssh looks for its files in the home directory of the user's account, not in HOME, where the credentials are.
ssh=ssh
if [ -e "$HOME/.ssh/config" ]; then ssh="ssh -F '$HOME/.ssh/config'"; fi
if [ -e "$HOME/.ssh/known_hosts" ]; then
    ssh="$ssh -o UserKnownHostsFile='$HOME/.ssh/known_hosts'"
else
    ssh="$ssh -o StrictHostKeyChecking=accept-new"
fi
if [ -d "$HOME/.ssh" ]; then git config core.sshCommand "$ssh"; fi
export GIT_SSH_COMMAND="$ssh"

if [ -n "$CLONE_REFSPEC" ]; then
    fetch $shallow origin $CLONE_REFSPEC || fail "cannot fetch $CLONE_REFSPEC of $CLONE_URL: $(reason)"
fi
if [ -n "$CLONE_REFSPEC" ] && [ -n "$CLONE_REVISION" ] && commit=$(git rev-parse -q --verify "$wanted^{commit}" 2>/dev/null); then
    git update-ref "$here" "$commit"
else
    fetch_revision
fi
commit=$(git rev-parse -q --verify "$here^{commit}" 2>/dev/null) || fail "\"$wanted\" of $CLONE_URL is no commit"
said=$(git checkout -q --force --detach "$commit" 2>&1) || fail "cannot check out $commit: $(reason)"
git update-ref -d "$here"

case $CLONE_SUBMODULES in
[fF][aA][lL][sS][eE]) ;;
*)
    if [ -e .gitmodules ] && ! said=$(git submodule --quiet update --init --recursive $shallow 2>&1); then
        # As with commits: not every server hands out one that is no tip.
        git submodule --quiet deinit --force --all >/dev/null 2>&1 || :
        rm -rf .git/modules
        said=$(git submodule --quiet update --init --recursive 2>&1) || fail "a submodule cannot be fetched: $(reason)"
    fi
    ;;
esac
masked "$CLONE_URL is at $commit in $CLONE_TO"

# Tekton put the credentials here for this step and its user alone: each step gets them anew, and where it runs as
# another user it can neither read nor replace these.
if [ -d /tekton/creds ]; then
    rm -rf -- "$HOME/.gitconfig" "$HOME/.git-credentials" "$HOME/.ssh" "$HOME/.docker/config.json"
    [ ! -d "$HOME/.docker" ] || chmod 777 "$HOME/.docker" # it stays: it may be mounted elsewhere too
fi
