"""Data flows one way through the rooms; an import never goes against it."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "dispatchfile"

# A room may import rooms of earlier lines, and the modules of its own line only where it is that module's own package.
ORDER: tuple[tuple[str, ...], ...] = (
    ("atomic", "changes", "late", "locks", "record"),
    ("source",),
    ("diagnostics",),
    ("errors", "gitenv", "glob", "mask", "outages", "spelling", "value"),
    ("remote",),
    ("credentials",),
    ("forges",),
    ("notify",),
    ("cue", "plain"),
    ("model",),
    ("front",),
    ("fmt",),
    ("convert",),
    ("event",),
    ("plan",),
    ("kube",),
    ("run", "tekton", "gitops"),
    ("cluster",),
    ("apps",),
    ("lint",),
    ("migrate",),
    ("explain", "report"),
    ("config",),
    ("doctor", "lsp"),
    ("cli",),
    ("__main__",),
)
LEVEL = {room: level for level, rooms in enumerate(ORDER) for room in rooms}
# Where a command meets the user is the only place that knows how findings look.
ONLY_FROM = {
    "report": {"report", "cli"},
    "config": {"config", "doctor", "lsp", "cli"},
    "cli": {"cli", "__main__"},
}


def room_of(path: Path) -> str:
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


def imports(path: Path) -> list[tuple[int, str]]:
    """Return line and module, without the package's name, of each import of this package, at any depth of the code."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            module = node.module or ""
            names = [f"{module}.{alias.name}" for alias in node.names]
        for name in names:
            top, _, rest = name.partition(".")
            if top == "dispatchfile" and rest and not rest.startswith("__version__"):
                found.append((node.lineno, rest))
    return found


def arrow_is_wrong(here: str, module: str) -> bool:
    there = module.split(".")[0]
    if here == there:
        return False
    if there in ONLY_FROM and here not in ONLY_FROM[there]:
        return True
    return LEVEL[there] >= LEVEL[here]


MODULES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_arrow_runs_back(path: Path) -> None:
    here = room_of(path)
    assert here in LEVEL, f"{path.name} is a new room: say in this test where it stands"
    wrong = [
        f"{path}:{line}: {here} imports {module}"
        for line, module in imports(path)
        if arrow_is_wrong(here, module)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("cue", "model"),
        ("model", "run"),
        ("plan", "cli"),
        ("run", "gitops.update"),
        ("gitops", "run.engine"),
    ],
)
def test_the_rule_would_catch(here: str, there: str) -> None:
    assert arrow_is_wrong(here, there)


def test_every_import_of_this_package_is_of_a_module_that_exists() -> None:
    for path in MODULES:
        for line, module in imports(path):
            room = module.split(".")[0]
            assert (ROOT / room).is_dir() or (ROOT / f"{room}.py").is_file(), f"{path}:{line}: no room {room}"


def test_the_package_is_what_is_tested() -> None:
    import dispatchfile

    assert Path(dispatchfile.__file__).parent == ROOT, f"another dispatchfile is on {sys.path}"
