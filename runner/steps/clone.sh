#!/bin/sh
# A git input of a task: what a depth-1 clone would be, detached at the revision, writable for every user.
#
# CLONE_TO, CLONE_URL, CLONE_REVISION (default: the remote's default branch), CLONE_DEPTH (1; 0 is all),
# CLONE_SUBMODULES (true), CLONE_REFSPEC: as the parameters of the resource. GIT_SSL_NO_VERIFY, http_proxy and its kin
# as git itself knows them. Git tells nobody the password in a URL, but where it clones a submodule. Arguments:
# directories that the task finds empty and writable as well. All may be there already, made by root for steps that
# start in them or below.
set -euf
umask 000
export GIT_TERMINAL_PROMPT=0
wanted=${CLONE_REVISION:-HEAD} here=refs/dispatchfile/revision shallow=--depth=${CLONE_DEPTH:-1}
if [ "$shallow" = --depth=0 ]; then shallow=; fi
if printf '%s\n' "$wanted" | grep -Eqx '[0-9a-f]{64}'; then export GIT_DEFAULT_HASH=sha256; fi

mkdir -p -- "$CLONE_TO" "$HOME/.config/git" "$@"
cd -- "$CLONE_TO"
rm -rf .git
find . "$@" -type d ! -perm 777 -exec chmod 777 {} +

# For all users; not in .gitconfig, which Tekton writes anew for each step.
git config --file "$HOME/.config/git/config" safe.directory '*'
if [ -e "$HOME/.ssh/config" ]; then # ssh itself does not heed HOME
    hosts=StrictHostKeyChecking=accept-new
    if [ -e "$HOME/.ssh/known_hosts" ]; then hosts='UserKnownHostsFile="$HOME/.ssh/known_hosts"'; fi
    git config --file "$HOME/.config/git/config" core.sshCommand "ssh -F \"\$HOME/.ssh/config\" -o $hosts"
fi

git init -q
git remote add -- origin "$CLONE_URL"
if [ -n "${GIT_SSL_NO_VERIFY-}" ]; then git config http.sslVerify false; fi
fetch() { git fetch -q --force --update-head-ok "$@"; }
if [ -n "${CLONE_REFSPEC-}" ]; then fetch $shallow -- origin $CLONE_REFSPEC; fi
if [ -z "${CLONE_REVISION-}" ] || ! git update-ref -- "$here" "$wanted^{commit}" 2>/dev/null; then
    # Into a reference, so that its tags come too. Not every server gives out a commit that is no tip.
    said=$(fetch $shallow -- origin "+$wanted:$here" 2>&1) || {
        fetch --tags -- origin
        git update-ref -- "$here" "$wanted^{commit}" 2>/dev/null || { echo "$said" >&2; exit 1; }
    }
fi
git checkout -q --force --detach "$here"
git update-ref -d "$here"
if [ -e .gitmodules ] && [ "${CLONE_SUBMODULES-}" != false ]; then
    git submodule -q update --init --recursive $shallow 2>/dev/null || {
        git submodule -q deinit --force --all && rm -rf .git/modules
        said=$(git submodule -q update --init --recursive 2>&1) || {
            echo "$said" | sed 's,://[^/@ ]*@,://,g' >&2
            exit 1
        }
    }
fi
echo "$CLONE_TO is at $(git rev-parse HEAD)"

# Credentials are this step's: others get their own, and could neither read nor replace these as another user.
if [ -d /tekton/creds ]; then
    rm -rf -- "$HOME/.gitconfig" "$HOME/.git-credentials" "$HOME/.ssh" "$HOME/.docker/config.json"
    [ ! -d "$HOME/.docker" ] || chmod 777 "$HOME/.docker"
fi
