#!/tekton/bin/busybox sh
# What Tekton's own entrypoint (cmd/entrypoint) does when a step calls it once more around its command: flags up to
# `--`, its directory for the step's state (the working directory when nobody names one), output copied on to a file
# while it streams, the exit code kept, and 1 for whatever goes wrong by itself.
busybox=/tekton/bin/busybox
entrypoint='' termination=/tekton/termination stdout='' metadata=''

refuse() {
    echo "Error executing command: $1" >&2
    exit 1
}

while [ $# -gt 0 ]; do
    flag=$1
    case $flag in
    --) shift; break ;;
    -*=*) value=${flag#*=} flag=${flag%%=*}; shift ;;
    *) value=${2-}; [ $# -ge 2 ] || { echo "flag needs an argument: $flag" >&2; exit 2; }; shift 2 ;;
    esac
    case ${flag#-} in
    entrypoint | -entrypoint) entrypoint=$value ;;
    termination_path | -termination_path) termination=$value ;;
    stdout_path | -stdout_path) stdout=$value ;;
    step_metadata_dir | -step_metadata_dir) metadata=$value ;;
    *) echo "flag provided but not defined: $flag" >&2; exit 2 ;;
    esac
done

for name in results artifacts; do
    "$busybox" mkdir -p "${metadata:+$metadata/}$name" || refuse "mkdir ${metadata:+$metadata/}$name"
done

program=''
case $entrypoint in
'') refuse 'no command' ;;
*/*) program=$entrypoint ;;
*)
    # The image's programs only: the shell's own and busybox's must not stand in for them.
    rest=${PATH:-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}:
    while [ -n "$rest" ]; do
        folder=${rest%%:*} rest=${rest#*:}
        if [ -f "${folder:-.}/$entrypoint" ] && [ -x "${folder:-.}/$entrypoint" ]; then
            program=${folder:-.}/$entrypoint
            break
        fi
    done
    [ -n "$program" ] || refuse "exec: \"$entrypoint\": executable file not found in \$PATH"
    ;;
esac
[ -x "$program" ] || refuse "fork/exec $program: no such file or directory"

# What the shell brings into the environment by itself, the step's command must not see.
"$busybox" grep -qz '^PWD=' "/proc/$$/environ" || unset PWD
"$busybox" grep -qz '^OLDPWD=' "/proc/$$/environ" || unset OLDPWD
"$busybox" grep -qz '^SHLVL=' "/proc/$$/environ" || unset SHLVL

if [ -n "$stdout" ]; then
    "$busybox" mkdir -p "${stdout%/*}" && (umask 177 && : >>"$stdout") || refuse "opening $stdout"
    exec 3>&1
    code=$({ { "$program" "$@" 3>&- 4>&-; echo $? >&4; } | "$busybox" tee -a "$stdout" >&3 3>&- 4>&-; } 4>&1)
else
    "$program" "$@"
    code=$?
fi
echo '[]' >"$termination" || exit 1
if [ "$code" = 0 ]; then
    printf 0 >"${metadata:+$metadata/}exitCode" || { echo "Creating ${metadata:+$metadata/}exitCode" >&2; exit 1; }
fi
exit "$code"
