"""The run as a JUnit report: a suite for each task, a case for each step; the log's end is in the failure."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Sequence
from pathlib import Path

from dispatchfile import atomic
from dispatchfile.plan.plan import PlannedTask
from dispatchfile.run.progress import Happening

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

TAIL = 100


class JUnitReport:
    """A listener that writes the report when the run has ended."""

    def __init__(self, path: Path, tasks: Sequence[PlannedTask]) -> None:
        self._path = path.absolute()
        self._tasks = tasks
        self._ended: dict[tuple[str, str], Happening] = {}
        self._finished: dict[str, Happening] = {}
        self._lines: dict[tuple[str, str], deque[str]] = defaultdict(lambda: deque(maxlen=TAIL))

    def __call__(self, event: Happening) -> None:
        """Take in what happened; write the report at the end."""
        if event.kind == "step.log":
            self._lines[event.task, event.step].append(str(event.data["line"]))
        elif event.kind == "step.finished":
            self._ended[event.task, event.step] = event
        elif event.kind == "task.finished":
            self._finished[event.task] = event
        elif event.kind == "run.finished":
            self._write()

    def _write(self) -> None:
        from xml.etree import ElementTree

        root = ElementTree.Element("testsuites", name="dispatchfile")
        for planned in self._tasks:
            suite = ElementTree.SubElement(root, "testsuite", name=planned.name)
            cases = [
                self._case(ElementTree.SubElement(suite, "testcase"), planned.name, step.name)
                for step in planned.task.steps
            ]
            for result in ("failure", "skipped"):
                count = sum(case == result for case in cases)
                suite.set({"failure": "failures"}.get(result, result), str(count))
            suite.set("tests", str(len(cases)))
        text = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
        atomic.write(self._path, text, atomic.usual_mode())

    def _case(self, case: Element, task: str, step: str) -> str:
        """Fill in a case and return what became of it."""
        from xml.etree import ElementTree

        case.attrib.update(classname=task, name=step)
        ended, finished = self._ended.get((task, step)), self._finished.get(task)
        if ended is None:
            why = finished.data.get("message") if finished else ""
            ElementTree.SubElement(case, "skipped", message=_xml(str(why or "")))
            return "skipped"
        case.set("time", str(ended.data["duration"]))
        if ended.data["exit_code"] == 0 and ended.data["reason"] == "exited":
            return "passed"
        failure = ElementTree.SubElement(case, "failure", message=f"exit code {ended.data['exit_code']}")
        failure.text = _xml("\n".join(self._lines[task, step]))
        return "failure"


def _xml(text: str) -> str:
    """Return the text without what XML 1.0 cannot hold."""
    return re.sub(r"\x1b\[[0-9;]*m|[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)
