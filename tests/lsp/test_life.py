"""How the server starts, what it asks of the client, and how it ends."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lsp.client import LONGEST_WAIT, Client

STEP = '{name: "go", image: "golang", command: ["go", "test"]}'
TEXT = f'task: "test": steps: [{STEP}]\n\nactions: [{{tasks: ["test"], on: git: push: branches: ["main"]}}]\n'


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Client]]:
    made: list[Client] = []

    def starter(*arguments: str, **settings: dict[str, str]) -> Client:
        made.append(Client(tmp_path, *arguments, **settings))
        return made[-1]

    yield starter
    for client in made:
        client.close()


def test_settings_of_the_project_hold_and_change(start: Callable[..., Client], tmp_path: Path) -> None:
    client = start()
    client.initialize(workspace={"didChangeWatchedFiles": {"dynamicRegistration": True}})
    assert [one["code"] for one in client.open(TEXT)] == ["DF601"]
    registered = next(one for one in client.told if one["method"] == "client/registerCapability")
    (registration,) = registered["params"]["registrations"]
    assert registration["registerOptions"]["watchers"] == [{"globPattern": "**/.dispatchfile.toml"}]
    settings = tmp_path / ".dispatchfile.toml"
    settings.write_text('[lint]\nignore = ["DF601"]\n', encoding="utf-8")
    changes = [{"uri": settings.as_uri(), "type": 1}]
    client.notify("workspace/didChangeWatchedFiles", changes=changes)
    assert client.published(version=1) == []
    settings.write_text('[lint]\nignore = ["DF9x"]\n', encoding="utf-8")
    client.notify("workspace/didChangeWatchedFiles", changes=changes)
    assert [one["code"] for one in client.published(version=1)] == ["DF601"]
    told = [one["params"]["message"] for one in client.told if one["method"] == "window/showMessage"]
    assert len(told) == 1
    assert "DF9x" in told[0]
    assert client.stop() == 0


@pytest.mark.parametrize(("encoding", "column"), [("utf-8", 16), ("utf-32", 10)])
def test_the_client_chooses_how_columns_count(
    start: Callable[..., Client], encoding: str, column: int
) -> None:
    client = start()
    answer = client.initialize(general={"positionEncodings": [encoding]})
    assert answer["capabilities"]["positionEncoding"] == encoding
    found = client.open('a: "𝄞𝄞"\nb: "𝄞𝄞" + c\n')
    place = next(one for one in found if one["code"] == "DF004")["range"]["start"]
    assert place == {"line": 1, "character": column}
    assert client.stop() == 0


def test_to_go_without_a_word_is_an_error(start: Callable[..., Client]) -> None:
    client = start("--stdio")
    client.initialize()
    client.notify("exit")
    assert client.process.wait(timeout=LONGEST_WAIT) == 1


def test_the_end_of_the_input_is_the_end(start: Callable[..., Client]) -> None:
    client = start()
    client.initialize()
    assert client.process.stdin is not None
    client.process.stdin.close()
    assert client.process.wait(timeout=LONGEST_WAIT) == 1


def test_nonsense_does_not_end_the_server(start: Callable[..., Client]) -> None:
    client = start()
    client.initialize()
    client.send({"method": "textDocument/didOpen", "params": {"wrong": 1}})
    client.change([{"text": "x"}], 1, "never-opened")
    assert client.request("textDocument/hover", textDocument={"uri": "file:///x"},
                          position={"line": 0, "character": 0}) is None  # fmt: skip
    assert "error" in client.answer("textDocument/nonsense")
    assert "Invalid Params" in client.answer("textDocument/hover", textDocument=1)["error"]["message"]
    document = {"uri": "file:///%00/Dispatchfile", "languageId": "", "version": 7, "text": TEXT}
    client.notify("textDocument/didOpen", textDocument=document)
    while (told := client.receive()).get("params", {}).get("version") != 7:
        pass
    assert [one["code"] for one in told["params"]["diagnostics"]] == ["DF601"]
    assert [one["code"] for one in client.open(TEXT)] == ["DF601"]
    assert client.stop() == 0


def test_without_the_extra_the_command_says_how_to_get_it(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['pygls'] = None\n"
        "from dispatchfile.cli.main import main\n"
        "sys.exit(main(['lsp']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=LONGEST_WAIT,
        check=False,
    )  # fmt: skip
    assert done.returncode == 4
    assert "the language server needs pygls, which is not installed" in done.stderr
    assert "-m pip install 'dispatchfile[lsp]'" in done.stderr
