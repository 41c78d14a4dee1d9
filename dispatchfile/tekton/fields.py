"""Parts of a task as they are written for a cluster, with what is wrong with the texts in them told in its place."""

from __future__ import annotations

from dispatchfile.record import Record
from dispatchfile.tekton import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dispatchfile.model.pipeline import Task
    from dispatchfile.tekton.draft import Draft
    from dispatchfile.value import Plain, Value


class Fields(Record):
    """Writes the fields of one struct of a task; `path` is where it stands in the Dispatchfile."""

    draft: Draft
    task: Task
    path: str

    def below(self, name: str) -> Fields:
        """Return what writes the fields of a struct further down."""
        return Fields(self.draft, self.task, f"{self.path}.{name}")

    def text(self, content: str, place: Value | None, name: str, *, kubelet: bool = False) -> str:
        """Return a text of a field in which Tekton, and as it may be the kubelet, replaces variables."""
        where = place if place is not None else self.task.value
        return text.filled(self.draft, self.task, content, where, kubelet=kubelet, path=f"{self.path}.{name}")

    def filled(self, value: Value | None, name: str) -> Any:
        """Return data in whose texts Tekton replaces variables; None where nothing is given."""
        if value is None or value.data is None:
            return None
        if isinstance(value.data, dict):
            below = self.below(name)
            made = {label: below.filled(item, label) for label, item in value.data.items()}
            return {label: item for label, item in made.items() if item is not None}
        if isinstance(value.data, list):
            made_items = (self.filled(item, f"{name}[{index}]") for index, item in enumerate(value.data))
            return [item for item in made_items if item is not None]
        return self.text(value.data, value, name) if isinstance(value.data, str) else plain(value.data)

    def unfilled(self, value: Value | None, name: str) -> Any:
        """Return data in which Tekton replaces nothing, so that a variable in it is an error; None as `filled`."""
        if value is None or value.data is None:
            return None
        text.refused(self.draft, self.task, value, f"{self.path}.{name}")
        return plain(value.plain())


def plain(data: Plain) -> Any:
    """Return data of a Dispatchfile as it is written for Kubernetes: numbers as such, and no field that is null."""
    if isinstance(data, dict):
        return {label: plain(item) for label, item in data.items() if item is not None}
    if isinstance(data, list):
        return [plain(item) for item in data if item is not None]
    if data is None or isinstance(data, (bool, int, str)):
        return data
    number = float(data)
    if abs(number) >= 2**63:
        return str(data)  # which Kubernetes refuses in its own words
    return int(number) if number.is_integer() else number
