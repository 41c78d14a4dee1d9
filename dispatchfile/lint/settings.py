"""What decides which findings are shown: the `[lint]` table of the project's `.dispatchfile.toml`, and the options."""

from __future__ import annotations

from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from dispatchfile.diagnostics import Severity


class Settings(Record):
    """Settings of lint; a code may be shortened (`DF7` is all of DF701, …), and a rule's name stands for its code.

    `per_file_ignores` has patterns of paths relative to the folder of the settings file, `trusted_registries`
    patterns of image references without tag that no rule about pinning complains about.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severity: Mapping[str, Severity] = {}
    trusted_registries: tuple[str, ...] = ()
    per_file_ignores: Mapping[str, tuple[str, ...]] = {}


DEFAULT = Settings()
