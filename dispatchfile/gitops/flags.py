"""The flags of the update task, read the way Go's flag package reads them.

One or two dashes are the same, `-flag=x` and `-flag x` too; a switch takes no next word but may say `=false`; flags
end at the first word without a dash. Names and meanings are the original's (Dispatch 1.0 to 1.4), then ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from dispatchfile.errors import UsageError
from dispatchfile.forges import KINDS, METHODS
from dispatchfile.record import Record
from dispatchfile.spelling import nearest

Kind = Literal["text", "switch", "list", "values"]
PROVIDERS = KINDS
_TRUE, _FALSE = ("1", "t", "T", "TRUE", "true", "True"), ("0", "f", "F", "FALSE", "false", "False")


class Flag(Record):
    """A flag: its name, what it takes, and the help; `field` is its place in Options."""

    name: str
    kind: Kind
    help: str
    metavar: str = ""
    field: str = ""

    @property
    def place(self) -> str:
        """Return the name of the field of Options that holds the flag's value."""
        return self.field or self.name.replace("-", "_")


class Options(Record):
    """What an update was asked to do; `argv` are those of the given words that the original would have been given."""

    git_revision: str = ""
    substitute: Mapping[str, str] = {}
    set_image: tuple[str, ...] = ()
    set: tuple[str, ...] = ()
    branch: str = ""
    base_branch: str = ""
    filepath: str = ""
    commit_message: str = ""
    create_pull_request: bool = True
    merge_pull_request: bool = False
    force_push: bool = False
    scm_provider: str = ""
    api_endpoint: str = ""
    compile_only: bool = False
    git_ignore: bool = False
    verbose: bool = False
    app: str = ""
    branch_per_revision: bool = False
    compat_header: bool = False
    allow_unused: bool = False
    allow_downgrade: bool = False
    overwrite: bool = False
    publish: bool = False
    dry_run: bool = False
    check: bool = False
    exit_code: bool = False
    label: tuple[str, ...] = ()
    reviewer: tuple[str, ...] = ()
    auto_merge: bool = False
    merge_method: Literal["", "merge", "squash", "rebase"] = ""
    close_superseded: bool = False
    reopen: bool = False
    sign: bool = False
    output: str = "text"
    argv: tuple[str, ...] = ()

    @property
    def splices(self) -> bool:
        """Return whether values are to be set in place."""
        return bool(self.set_image or self.set)

    @property
    def renders(self) -> bool:
        """Return whether templates are to be rendered: always, but where values are set in place and none is given."""
        return bool(self.substitute) or not self.splices


_ORIGINAL = (
    Flag("git-revision", "text", "the source commit; it names the update in messages", "REV"),
    Flag("substitute", "values", "the value of $({ .KEY }); may be given many times", "KEY=VALUE"),
    Flag(
        "filepath", "text", "files to look at, below here (default: *.tmpl, or all with -set-image)", "GLOB"
    ),
    Flag("template-path", "text", "older spelling of -filepath", "GLOB", "filepath"),
    Flag("base-branch", "text", "branch to update (default: the remote's default branch)", "BRANCH"),
    Flag("branch", "text", "branch to push (default: dispatch/update-APP)", "BRANCH"),
    Flag("commit-message", "text", "subject of the commit and title of the pull request", "TEXT"),
    Flag("create-pull-request", "switch", "open a pull request, or bring the open one up to date (default)"),
    Flag("merge-pull-request", "switch", "merge it, after its checks where some are missing"),
    Flag("force-push", "switch", "accepted; the update branch is always replaced, guarded by a lease"),
    Flag("scm-provider", "text", f"{', '.join(KINDS)} (default: by host, else github)", "NAME"),
    Flag("api-endpoint", "text", "URL of the forge's API (default: from the remote's host)", "URL"),
    Flag("compile-only", "switch", "render into the files here; leave git alone"),
    Flag("git-ignore", "switch", "with -compile-only: list the rendered files in .gitignore"),
    Flag("verbose", "switch", "say what git does"),
)
FLAGS = (
    *_ORIGINAL,
    Flag("set-image", "list", "set an image in manifests, kustomizations, Helm values", "NAME=REF"),
    Flag(
        "set", "list", "set a value of a file in place; FILE#KIND/NAME:… names a document", "FILE:PATH=VALUE"
    ),
    Flag("app", "text", "name of the update, for its branch (default: from the image)", "APP"),
    Flag("branch-per-revision", "switch", "push update-to-commit-REV, a branch a revision, as the original"),
    Flag("compat-header", "switch", "write the original's header: all flags, so every run changes the file"),
    Flag("allow-unused", "switch", "accept values that no template asks for"),
    Flag("allow-downgrade", "switch", "update to an older revision than the one that is there"),
    Flag("overwrite", "switch", "replace the branch although somebody else pushed to it"),
    Flag("publish", "switch", "push beyond this machine"),
    Flag("dry-run", "switch", "show what would be pushed; push nothing"),
    Flag("check", "switch", "push nothing; exit 1 when there is something to update"),
    Flag("exit-code", "switch", "push nothing; exit 20 when there is something to update"),
    Flag("label", "list", "label of the pull request; may be given many times", "NAME"),
    Flag("reviewer", "list", "reviewer of the pull request; may be given many times", "USER"),
    Flag("auto-merge", "switch", "have the forge merge the pull request when its checks pass"),
    Flag("merge-method", "text", "merge, squash or rebase (default: the repository's own)", "METHOD"),
    Flag("close-superseded", "switch", "close older pull requests of the same files, delete their branches"),
    Flag("reopen", "switch", "propose an update again whose pull request somebody closed"),
    Flag("sign", "switch", "sign the commit with the key of git's settings (user.signingkey)"),
    Flag("output", "text", "text or json", "FORMAT"),
)

EXAMPLES = """\
examples:
  dispatchfile gitops update -git-revision=4f2c1e0 -substitute=imageName=web@sha256:…
  dispatchfile gitops update … -filepath='staging/**.yaml.tmpl' -base-branch=staging
  dispatchfile gitops update … -branch=main -create-pull-request=false   commit straight to main
  dispatchfile gitops update -set-image=web=:1.3 -set=app.yaml:spec.replicas=3   without templates
  dispatchfile gitops update … --dry-run                                 show it, push nothing"""


def parse(argv: Sequence[str]) -> Options:
    """Return what the flags ask for. Raises UsageError."""
    by_name = {flag.name: flag for flag in FLAGS}
    given: dict[str, str | bool | tuple[str, ...] | Mapping[str, str]] = {}
    words, original = list(argv), list[str]()
    while words:
        left = len(words)
        word = words.pop(0)
        if word == "--" or not word.startswith("-") or word == "-":
            rest = words if word == "--" else [word, *words]
            if rest:
                raise UsageError(f'unexpected argument "{rest[0]}"', help="the update task takes flags only")
            break
        name, equals, text = word.removeprefix("-").removeprefix("-").partition("=")
        flag = by_name.get(name)
        if flag is None:
            raise _unknown(word, name, by_name)
        if not equals and flag.kind != "switch":
            if not words:
                raise UsageError(f"-{name} needs a value", help=f"-{name}={flag.metavar}")
            text = words.pop(0)
        _put(flag, text if equals or flag.kind != "switch" else "true", given)
        if flag in _ORIGINAL:
            original += argv[len(argv) - left : len(argv) - len(words)]
    options = Options(**given, argv=tuple(original))  # type: ignore[arg-type] # _put keeps each flag to its kind
    _check(options)
    return options


def help_text() -> str:
    """Return what `--help` prints."""
    heads = [f"-{flag.name}" + (f"={flag.metavar}" if flag.metavar else "") for flag in FLAGS]
    lines = [f"  {head:28} {flag.help}" for head, flag in zip(heads, FLAGS, strict=True)]
    return (
        "usage: dispatchfile gitops update [FLAG…]\n\n"
        "Render the templates of the GitOps repository here, or change images and values in its files;\n"
        "commit, push, and open a pull request.\n"
        "Local paths and loopback hosts are pushed to; anything else only with --publish.\n\n"
        "flags (one dash or two):\n" + "\n".join(lines) + "\n\n"
        "exit codes: 0 done, nothing to do or superseded; 1 failed; 2 usage; 3 a person is needed;\n"
        "4 git or the forge refused; 20 there is a difference (--exit-code)\n\n" + EXAMPLES
    )


def _put(flag: Flag, text: str, given: dict[str, str | bool | tuple[str, ...] | Mapping[str, str]]) -> None:
    before = given.get(flag.place)
    if flag.kind == "switch":
        if text not in _TRUE + _FALSE:
            raise UsageError(f'-{flag.name} is true or false, not "{text}"')
        given[flag.place] = text in _TRUE
    elif flag.kind == "list":
        given[flag.place] = (*(before if isinstance(before, tuple) else ()), text)
    elif flag.kind == "values":
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise UsageError(f'-{flag.name} takes KEY=VALUE, not "{text}"')
        values = before if isinstance(before, Mapping) else {}
        if values.get(key, value) != value:
            raise UsageError(f'two values for "{key}"', help=f"give -{flag.name}={key}=… once")
        given[flag.place] = {**values, key: value}
    else:
        given[flag.place] = text


def _check(options: Options) -> None:
    if options.scm_provider and options.scm_provider not in PROVIDERS:
        near = nearest(options.scm_provider, PROVIDERS)
        hint = f'did you mean "{near}"?' if near else f"it is one of {', '.join(PROVIDERS)}"
        raise UsageError(f'-scm-provider: "{options.scm_provider}" is not known', help=hint)
    if options.splices:
        from dispatchfile.gitops.splice import address, reference

        for text in options.set_image:
            reference.parse_wish(text)
        for text in options.set:
            address.parse(text)
    if options.output not in ("text", "json"):
        raise UsageError(f'-output is text or json, not "{options.output}"')
    if options.merge_method and options.merge_method not in METHODS:
        raise UsageError(f'-merge-method is one of {", ".join(METHODS)}, not "{options.merge_method}"')
    if options.merge_method and not (options.merge_pull_request or options.auto_merge):
        raise UsageError("-merge-method says how to merge", help="add -merge-pull-request or -auto-merge")
    for name in ("auto_merge", "close_superseded", "reopen"):
        if getattr(options, name) and not options.create_pull_request:
            flag = f"-{name.replace('_', '-')}"
            raise UsageError(f"{flag} is about pull requests, and -create-pull-request=false makes none")
    if options.git_ignore and not options.compile_only:
        raise UsageError("-git-ignore goes with -compile-only", help="a committed file must not be ignored")
    for name in ("branch", "base_branch", "git_revision", "app"):
        value = getattr(options, name)
        if value.startswith("-") or any(ord(letter) < 32 for letter in value):
            raise UsageError(f'-{name.replace("_", "-")}: "{value}" is not a name')


def _unknown(word: str, name: str, known: Mapping[str, Flag]) -> UsageError:
    near = nearest(name, known)
    hint = f'did you mean "-{near}"?' if near else "see `dispatchfile gitops update --help`"
    return UsageError(f'unknown flag "{word.partition("=")[0]}"', help=hint)
