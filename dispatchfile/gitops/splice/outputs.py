"""`--set-image` and `--set`: the files of a GitOps repository with images and values set in place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from dispatchfile.errors import UsageError
from dispatchfile.gitops.files import SUFFIX, Output
from dispatchfile.gitops.flags import Options
from dispatchfile.gitops.splice import address as addresses
from dispatchfile.gitops.splice.kustomized import left_to_kustomize, replaced
from dispatchfile.gitops.splice.reference import Image, Wish, parse_wish
from dispatchfile.gitops.splice.shelf import File, Shelf
from dispatchfile.gitops.splice.tree import Scalar, SpliceError
from dispatchfile.gitops.splice.uses import Use, setters, uses
from dispatchfile.gitops.splice.wishes import image_edits, value_edit

Say = Callable[[str], None]


def outputs(directory: Path, root: Path, options: Options, say: Say) -> list[Output]:
    """Return what --set-image and --set make of the files below `directory`; nothing is written.

    Raises SpliceError and UsageError where something is not found, is not certain, or cannot be changed alone.
    """
    shelf = Shelf(directory, root, options.filepath)
    for text in options.set_image:
        _set_image(shelf, parse_wish(text), say)
    for text in options.set:
        _set(shelf, addresses.parse(text))
    return [file.output() for file in shelf.files.values() if file.edits]


def _set_image(shelf: Shelf, wish: Wish, say: Say) -> None:
    files = {file.source.name: file for file in shelf.mentioning(wish.name.rpartition("/")[2], say)}
    found: list[Use] = []
    for file in files.values():
        if shelf.is_among(file.source.name):
            found += _uses(file, wish, say)
    if not wish.policy:
        files |= _replacements(shelf, found, say)
    chosen = _chosen(shelf, wish, found, say)
    for use in chosen:
        image, made = image_edits(use, wish)
        file = files[use.document.source.name]
        before, now = str(use.image), str(image)
        if wish.policy and isinstance(use.node, Scalar):
            before, now = use.node.value, made[0].new[0]
        file.change(use.number, use.label, before, now, made)


def _replacements(shelf: Shelf, found: list[Use], say: Say) -> dict[str, File]:
    """Add the entries of kustomizations that replace what was found under another name; return their files."""
    files: dict[str, File] = {}
    known = {id(use.node) for use in found}
    for repository in {use.image.repository for use in found if use.form == "text"}:
        wish = Wish(repository, Image(""), policy=False)
        for file in shelf.mentioning(repository.rpartition("/")[2], say):
            for use in _uses(file, wish, say) if file.is_kustomization else ():
                replaces = (
                    use.form == "kustomize" and use.original == repository and id(use.node) not in known
                )
                if replaces and (by := replaced(shelf.directory, use, found)):
                    if not shelf.is_among(file.source.name):
                        raise UsageError(
                            f"{by[0].place}: {by[0].label} is replaced by {use.place}, which -filepath leaves out",
                            help="set the image there",
                        )
                    known.add(id(use.node))
                    found.append(use)
                    files[file.source.name] = file
    return files


def _uses(file: File, wish: Wish, say: Say) -> Iterator[Use]:
    """Yield the uses that a file has of what is wished; a chart's templates are no YAML and are said to be left out."""
    try:
        parsed = file.documents
    except SpliceError as error:
        if "{{" not in file.source.text:
            error.help = "mend the file, or leave it out with -filepath"
            raise
        say(f"{file.source.name} was not looked into: it is a template of a Helm chart")
        return
    seen = set[int]()
    for number, document in enumerate(parsed):
        every = setters(document, number) if wish.policy else uses(document, number, alone=len(parsed) == 1)
        for use in every:
            meant = use.policy == wish.name if wish.policy else use.is_meant(wish.name)
            if meant and id(use.node) not in seen:
                seen.add(id(use.node))
                yield use


def _chosen(shelf: Shelf, wish: Wish, found: list[Use], say: Say) -> list[Use]:
    """Return the uses to change: all of one repository. Raises UsageError where there is none, or more than one."""
    chosen = found if wish.policy else left_to_kustomize(shelf.directory, found, say)
    if not chosen:
        what = "setter comment names the policy" if wish.policy else "image or container is named"
        within = f' in what -filepath "{shelf.glob}" matches' if shelf.glob else " here or below"
        help_ = (
            "NAME is the end of an image's name (web, acme/web) or a container's; -set reaches other places"
        )
        if path := shelf.rendered(wish.name):
            help_ = f"{path} is rendered from {path}{SUFFIX}: -substitute sets what is in it"
        raise UsageError(f'-set-image: no {what} "{wish.name}"{within}', help=help_)
    aim = wish.image.repository
    repositories = {use.image.repository for use in chosen if use.image.repository != aim}
    if len(repositories) > 1 and not wish.policy:
        places = "; ".join(f"{use.place}: {use.label} is {use.image}" for use in chosen)
        raise UsageError(
            f'-set-image: "{wish.name}" may mean different images: {places}',
            help="say more of the image's name (acme/web), or choose files with -filepath",
        )
    return chosen


def _set(shelf: Shelf, address: addresses.Address) -> None:
    file = shelf.named(address.file)
    try:
        parsed = file.documents
    except SpliceError as error:
        if "{{" in file.source.text:
            error.help = "a template of a Helm chart is not changed: set the chart's values"
        raise
    number, node, shared = addresses.find(parsed, address)
    document = parsed[number]
    if shared:
        raise document.fail(node, f"{address.path} is repeated elsewhere by an alias", "change it by hand")
    made = value_edit(document, node, address.value)
    chosen = f"{address.kind}/{address.name}:" if address.kind else ""
    before = node.value if isinstance(node, Scalar) else ""
    file.change(number, f"{chosen}{address.path}", before, address.value, [made])
