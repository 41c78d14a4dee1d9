"""`dispatchfile init`: a Dispatchfile to start from."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from dispatchfile.cli.parser import examples
from dispatchfile.errors import EnvironmentProblem, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from dispatchfile.cli.parser import Commands
    from dispatchfile.convert.convert import Flavour

TEMPLATES = Path(__file__).parent.parent / "templates"
"""One file a template, in CUE."""

NAMES = ("go", "python", "node", "image", "gitops", "shell")

# What a folder holds tells what it is; the first that is there counts.
_SIGNS = (
    ("go.mod", "go"),
    ("pyproject.toml", "python"),
    ("setup.py", "python"),
    ("package.json", "node"),
    ("Dockerfile", "image"),
)
_FILES: dict[Flavour, str] = {"cue": "Dispatchfile", "yaml": "Dispatchfile.yaml", "json": "Dispatchfile.json"}

EXAMPLES = examples(
    "dispatchfile init                          from the template that fits what is in this folder",
    "dispatchfile init --template gitops        one that builds an image and deploys it",
    "dispatchfile init --flavour yaml           as YAML",
    "dispatchfile -C service init               in another folder",
)


def add_parser(commands: Commands) -> None:
    """Add the parser of the command."""
    parser = commands.add_parser(
        "init",
        usage="dispatchfile init [--template NAME] [--flavour cue|yaml|json]",
        description="Write a Dispatchfile to start from. Nothing is overwritten.\n"
        "Templates: go, python, and node test a project; image builds a Dockerfile; gitops builds and\n"
        "deploys it; shell runs a command.",
        epilog=EXAMPLES,
    )
    add = parser.add_argument
    add("--template", choices=NAMES, metavar="NAME", help=f"{', '.join(NAMES)} (default: what fits)")
    add("--flavour", choices=tuple(_FILES), help="language of the file (default: by -f FILE, else cue)")


def main(args: argparse.Namespace) -> int:
    """Write the file, for `-` to standard output; return 0.

    Raises UsageError where there is one, and EnvironmentProblem when it cannot be written.
    """
    flavour = args.flavour or _flavour_of(args.file)
    target = args.file or _FILES[flavour]
    template, why = (args.template, "") if args.template else _fitting()
    if target == "-":
        from dispatchfile.cli.files import put

        put(_text(template, flavour))
        return 0
    _refuse_second(args.file)
    _create(target, _text(template, flavour))
    if not args.quiet:
        print(f'wrote {target} from the template "{template}"{why}', file=sys.stderr)
        option = f" -f {target}" if args.file else ""
        print(_next(template, option), end="", file=sys.stderr)
    return 0


def _flavour_of(file: str | None) -> Flavour:
    from dispatchfile import front

    wanted = front.EXTENSIONS.get(Path(file or "").suffix.lower(), "cue")
    for flavour in _FILES:
        if flavour == wanted:
            return flavour
    raise UsageError(f"no template is in {wanted}", help=f"name a file in {', '.join(_FILES)}")


def _refuse_second(file: str | None) -> None:
    """Raise UsageError where there is a Dispatchfile already."""
    from dispatchfile import front

    for name in (file,) if file else front.DEFAULT_NAMES:
        if Path(name).exists() or Path(name).is_symlink():
            where = "" if file else " in this directory"
            raise UsageError(
                f"{name} exists already{where}; nothing was written",
                help="`dispatchfile plan` says what it does; -f FILE writes another one, -f - prints it",
            )


def _fitting() -> tuple[str, str]:
    """Return the template that fits this folder, and in words why."""
    found = [(sign, name) for sign, name in _SIGNS if Path(sign).exists()]
    if not found:
        return "shell", f": none of {', '.join(sign for sign, _ in _SIGNS)} is here"
    sign, name = found[0]
    return name, f": there is a {sign}"


def _text(template: str, flavour: Flavour) -> str:
    """Return a template in a flavour, with this folder's name and versions in it."""
    text = (TEMPLATES / f"{template}.cue").read_text(encoding="utf-8")
    name = re.sub("[^a-z0-9]+", "-", Path.cwd().name.lower()).strip("-")
    text = text.replace("my-app", name or "my-app")
    if template == "go":
        text = text.replace("golang:1.22", f"golang:{_go_version() or '1.22'}")
    if flavour == "cue":
        return text
    from dispatchfile import front
    from dispatchfile.convert.convert import convert
    from dispatchfile.source import Source

    return convert(front.read(Source("Dispatchfile", text)), flavour).text


def _go_version() -> str:
    """Return the version that go.mod asks for, such as 1.22; "" without one."""
    try:
        with Path("go.mod").open(encoding="utf-8", errors="replace") as file:
            found = re.search(r"^go (\d+\.\d+)", file.read(65536), re.MULTILINE)
    except OSError:
        return ""
    return found[1] if found is not None else ""


def _create(target: str, text: str) -> None:
    """Write a new file, whole or not at all."""
    path = Path(target)
    try:
        with path.open("x", encoding="utf-8") as file:
            try:
                file.write(text)
                file.flush()
            except BaseException:
                path.unlink()
                raise
    except FileExistsError:
        raise UsageError(f"{target} exists already; nothing was written") from None
    except OSError as error:
        advice = "" if path.parent.is_dir() else f"there is no folder {path.parent}; make it first"
        raise EnvironmentProblem(f"{target}: cannot be written: {error.strerror}", help=advice) from None


def _next(template: str, option: str) -> str:
    """Return what to do next."""
    edit = "put your registry and repositories in, then\n" if template in ("image", "gitops") else ""
    return (
        f"{edit}"
        f"  dispatchfile{option} plan --event push --branch main   what a push would run, and why\n"
        f"  dispatchfile{option} run                               run it here, in Docker\n"
    )
