"""An object that the repository wants, and where it says so."""

from __future__ import annotations

from dispatchfile.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    Object: TypeAlias = dict[str, Any]


class Key(Record):
    """What an object is known by. `group` is "" for the core API; `namespace` is "" where objects have none."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        """Return GROUP/Kind NAMESPACE/NAME with what is empty left out, as messages name an object."""
        kind = f"{self.group}/{self.kind}" if self.group else self.kind
        return f"{kind} {self.namespace}/{self.name}" if self.namespace else f"{kind} {self.name}"


class Manifest(Record, uncompared=("file", "line")):
    """An object of Kubernetes as plain data, with its namespace filled in; `file` is relative to the repository."""

    key: Key
    object: Object
    file: str = ""
    line: int = 0

    @property
    def place(self) -> str:
        """Return FILE:LINE, or what is known of it."""
        return f"{self.file}:{self.line}" if self.line else self.file


def key_of(found: Object, namespace: str) -> Key:
    """Return the key of an object; `namespace` counts where it names none. The object is known to have kind and name."""
    group, slash, _ = str(found.get("apiVersion", "")).rpartition("/")
    metadata = found["metadata"]
    return Key(
        group if slash else "", found["kind"], metadata.get("namespace") or namespace, metadata["name"]
    )


def mapping(found: Any) -> dict[str, Any]:
    """Return what is a mapping as it is, {} for anything else: nobody has checked the fields of an object."""
    return found if isinstance(found, dict) else {}
