"""What an update calls itself: its branch, its commit message, the text of its pull request."""

from __future__ import annotations

import re

from dispatchfile.gitops.checkout import Checkout, Revision
from dispatchfile.gitops.files import Output
from dispatchfile.gitops.flags import Options
from dispatchfile.record import Record

_IMAGE = re.compile(r"(?P<name>[\w./:-]*?[\w.-]+)(?P<version>(?::[\w.-]+)?@sha256:[0-9a-f]{64}|:[\w.-]+)")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


class Change(Record):
    """A value in a file, as it was and as it is now; an unknown one before is empty."""

    file: str
    name: str
    before: str
    now: str

    @property
    def image(self) -> bool:
        """Return whether it is that of an image; any other value might be a secret."""
        return _IMAGE.fullmatch(self.now) is not None


def app_of(options: Options, checkout: Checkout) -> str:
    """Return the name of what is updated: --app, else the first image's repository, else the file of the first --set,
    else the GitOps repository.

    Two tasks that update different paths must not share a branch, for each starts it anew from the base: the
    directory the update runs in and the fixed head of -filepath are part of the name, and so is a -base-branch.
    """
    if options.app:
        return slug(options.app)
    images = [match["name"] for value in options.substitute.values() if (match := _IMAGE.fullmatch(value))]
    images += [_wished(text) for text in options.set_image]
    images += [re.split("[#:]", text)[0].rpartition(".")[0].replace("/", "-") for text in options.set]
    name = images[0].rpartition("/")[2] if images else checkout.configured.name
    head = re.split(r"[*?\[{\\]", options.filepath.removeprefix("./"), maxsplit=1)[0]
    path = head.rpartition("/")[0] if head != options.filepath else head.removesuffix(".tmpl")
    places = [checkout.prefix if checkout.prefix != "." else "", path, options.base_branch]
    return slug("-".join([name, *(place for place in places if place)]))


def branch_of(options: Options, app: str) -> str:
    """Return the branch that an update is pushed to."""
    if options.branch:
        return options.branch
    if options.branch_per_revision:
        return f"update-to-commit-{options.git_revision}"
    return f"dispatch/update-{app}"


def slug(text: str) -> str:
    """Return a text with whatever a branch name cannot hold replaced by "-"."""
    return re.sub(r"\.\.+", ".", _UNSAFE.sub("-", text)).strip("-.").removesuffix(".lock") or "app"


def subject(options: Options, app: str) -> str:
    """Return the subject of the commit, which is the pull request's title (Dispatch 1.0)."""
    if options.commit_message:
        return options.commit_message.strip().partition("\n")[0]
    if options.git_revision and not options.renders:
        return f"update {app} for commit {options.git_revision}"
    if not options.renders:
        return f"update {app}"
    if options.git_revision:
        return f"update templates for commit {options.git_revision}"
    return f"update templates of {app}"


def changes(outputs: list[Output]) -> list[Change]:
    """Return the values that are not what they were."""
    return [
        Change(output.path, name, output.before.get(name, ""), now)
        for output in outputs
        for name, now in output.now.items()
        if output.before.get(name) != now
    ]


def commit_message(options: Options, app: str, revision: Revision, outputs: list[Output], tree: str) -> str:
    """Return the message: subject, old and new image of each file, and trailers that the next update reads."""
    rest = options.commit_message.strip().partition("\n")[2].strip()
    paragraphs = [subject(options, app), rest, _summary(outputs)]
    trailers = [
        ("Source-Repository", revision.url),
        ("Source-Revision", revision.name),
        ("Source-Date", "" if revision.date is None else str(revision.date)),
        ("Dispatch-App", app),
        *(("Image", image) for image in _images(outputs)),
        ("Generated-by", f"dispatchfile; tree {tree}"),
    ]
    paragraphs.append("\n".join(f"{name}: {_line(value)}" for name, value in trailers if value))
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph) + "\n"


def pull_request_body(revision: Revision, outputs: list[Output]) -> str:
    """Return the text of the pull request, in Markdown."""
    where = f" of {revision.url}" if revision.url else ""
    what = f"Made from commit `{_line(revision.name)}`{where}.\n\n" if revision.name else ""
    rows = [
        f"| `{change.file}` | `{change.name}` | {_code(change.before)} | {_code(change.now)} |"
        for change in changes(outputs)
        if change.image
    ]
    table = "\n".join(["| file | value | before | now |", "|---|---|---|---|", *rows]) if rows else ""
    note = (
        "The next update replaces this branch's commit. "
        "Push to it, and updates stop until you merge or delete it."
    )
    return f"{what}{table}\n\n{note}\n".lstrip()


def _wished(text: str) -> str:
    """Return the repository that a --set-image means, or the name that it has where it stands."""
    name, _, ref = text.partition("=")
    return ref.partition("@")[0].rpartition("/")[2].partition(":")[0] or name.rpartition(":")[2]


def _summary(outputs: list[Output]) -> str:
    """Return what changed. Only images are shown with their values: any other value might be a secret."""
    lines: list[str] = []
    for output in outputs:
        found = changes([output])
        if found:
            lines.append(output.path)
        for change in found:
            before = f"{_line(change.before)} -> " if change.before else ""
            lines.append(
                f"  {change.name}: {before}{change.now}" if change.image else f"  {change.name}: changed"
            )
    return "\n".join(lines)


def _images(outputs: list[Output]) -> list[str]:
    found = {value: None for output in outputs for value in output.now.values() if _IMAGE.fullmatch(value)}
    return list(found)


def _line(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f]+", " ", text).strip()


def _code(text: str) -> str:
    return f"`{_line(text).replace('|', ' ').replace('`', ' ')}`" if text else ""
