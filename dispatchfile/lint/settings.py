"""What decides which findings are shown: the `[lint]` table of the project's `.dispatchfile.toml`, and the options."""

from __future__ import annotations

import os
from functools import lru_cache

from dispatchfile.diagnostics import Severity
from dispatchfile.lint import catalogue
from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Settings(Record):
    """Settings of lint; a code may be shortened (`DF7` is all of DF701, …), and a rule's name stands for its code.

    `per_file_ignores` has patterns of paths relative to `folder`, that of the settings file, `trusted_registries`
    patterns of image references without tag that no rule about pinning complains about.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severity: Mapping[str, Severity] = {}
    trusted_registries: tuple[str, ...] = ()
    per_file_ignores: Mapping[str, tuple[str, ...]] = {}
    fail_on: Severity = Severity.WARNING
    folder: str = "."

    def chosen(self, name: str) -> frozenset[str]:
        """Return the codes of the rules that hold for a file: always those that cannot be switched off."""
        chosen = _chosen(self.select, self.ignore)
        if not self.per_file_ignores:
            return chosen
        path = os.path.relpath(name, self.folder)
        dropped = {code for pattern, words in self.per_file_ignores.items() if _fits(pattern, path) for word in words
                   for code in catalogue.codes(word)}  # fmt: skip
        return frozenset(code for code in chosen if code not in dropped or catalogue.ENTRIES[code].always)


DEFAULT = Settings()


@lru_cache(maxsize=8)
def _chosen(select: tuple[str, ...], ignore: tuple[str, ...]) -> frozenset[str]:
    """Return the codes that are selected and not ignored; without any selection all but the optional ones are."""
    selected = {code for word in select or ("DF",) for code in catalogue.codes(word)}
    ignored = {code for word in ignore for code in catalogue.codes(word)}
    # A word names optional rules when it stands for nothing else: the code or name of one, or their group.
    words = (catalogue.codes(word) for word in select)
    named = {
        code for codes in words if all(catalogue.ENTRIES[code].optional for code in codes) for code in codes
    }
    return frozenset(
        rule.code
        for rule in catalogue.ENTRIES.values()
        if rule.always
        or (rule.code in selected and rule.code not in ignored and (not rule.optional or rule.code in named))
    )


def _fits(pattern: str, path: str) -> bool:
    """Return whether a pattern takes a path; one without a slash takes the file's name in any folder."""
    from dispatchfile import glob

    return glob.matches(pattern, path if "/" in pattern else os.path.basename(path), "path")
