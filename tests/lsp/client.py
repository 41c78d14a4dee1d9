"""A client of the language server that speaks the protocol over the pipes of a real process."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

LONGEST_WAIT = 60  # seconds, to tell an end from a hang


class Client:
    """One server process. Requests wait for their answer; notifications of the server are kept in `told`."""

    def __init__(self, folder: Path, *arguments: str, environment: dict[str, str] | None = None) -> None:
        self.folder = folder
        with (folder / "server.log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dispatchfile", "lsp", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=folder,
                env={**os.environ, "XDG_CONFIG_HOME": str(folder), **(environment or {})},
            )
        self.messages: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.told: list[dict[str, Any]] = []
        self.number = 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        while header := self.process.stdout.readline():
            length = int(header.split(b":")[1])
            while self.process.stdout.readline().strip():
                pass
            self.messages.put(json.loads(self.process.stdout.read(length)))
        self.messages.put(None)

    def send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(data), data))
        self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        message = self.messages.get(timeout=LONGEST_WAIT)
        assert message is not None, (self.folder / "server.log").read_text()
        if "method" in message and "id" in message:
            self.send({"id": message["id"], "result": None})
        return message

    def notify(self, method: str, **params: Any) -> None:
        self.send({"method": method, "params": params})

    def answer(self, method: str, **params: Any) -> dict[str, Any]:
        """Return the whole answer to a request, an error included."""
        self.number += 1
        self.send({"id": self.number, "method": method, "params": params})
        while True:
            message = self.receive()
            if message.get("id") == self.number and "method" not in message:
                return message
            self.told.append(message)

    def request(self, method: str, **params: Any) -> Any:
        message = self.answer(method, **params)
        assert "error" not in message, message["error"]
        return message["result"]

    def initialize(self, **capabilities: Any) -> dict[str, Any]:
        result: dict[str, Any] = self.request(
            "initialize", processId=os.getpid(), rootUri=self.folder.as_uri(), capabilities=capabilities
        )
        self.notify("initialized")
        return result

    def uri(self, name: str) -> str:
        return (self.folder / name).as_uri()

    def open(self, text: str, name: str = "Dispatchfile", version: int = 1) -> list[dict[str, Any]]:
        """Open a document and return what the server says about it."""
        document = {"uri": self.uri(name), "languageId": "dispatchfile", "version": version, "text": text}
        self.notify("textDocument/didOpen", textDocument=document)
        return self.published(name, version)

    def change(self, changes: list[dict[str, Any]], version: int, name: str = "Dispatchfile") -> None:
        self.notify(
            "textDocument/didChange",
            textDocument={"uri": self.uri(name), "version": version},
            contentChanges=changes,
        )

    def published(self, name: str = "Dispatchfile", version: int | None = None) -> list[dict[str, Any]]:
        """Return the next findings that the server publishes for a version of a document."""
        while True:
            for message in self.told:
                if message.get("method") == "textDocument/publishDiagnostics":
                    params = message["params"]
                    if params["uri"] == self.uri(name) and params.get("version") == version:
                        self.told.remove(message)
                        found: list[dict[str, Any]] = params["diagnostics"]
                        return found
            self.told.append(self.receive())

    def at(self, method: str, text: str, name: str = "Dispatchfile", **params: Any) -> Any:
        """Return the answer to a request about the place of the `|` in a text, which is opened without it."""
        offset = text.index("|")
        self.open(text.replace("|", "", 1), name)
        before = text[:offset]
        position = {
            "line": before.count("\n"),
            "character": len(before[before.rfind("\n") + 1 :].encode("utf-16-le")) // 2,
        }
        return self.request(method, textDocument={"uri": self.uri(name)}, position=position, **params)

    def stop(self) -> int:
        """Shut the server down as an editor does; return its exit code."""
        self.request("shutdown")
        self.notify("exit")
        code = self.process.wait(timeout=LONGEST_WAIT)
        self.close()
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


def edited(text: str, edits: list[dict[str, Any]]) -> str:
    """Return a text with edits in it, as an editor applies them."""
    lines = [0, *(index + 1 for index, char in enumerate(text) if char == "\n")]

    def offset(position: dict[str, int]) -> int:
        if position["line"] >= len(lines):
            return len(text)
        start = lines[position["line"]]
        return start + len(text[start:].encode("utf-16-le")[: 2 * position["character"]].decode("utf-16-le"))

    for edit in sorted(edits, key=lambda one: offset(one["range"]["start"]), reverse=True):
        start, end = offset(edit["range"]["start"]), offset(edit["range"]["end"])
        text = text[:start] + edit["newText"] + text[end:]
    return text
