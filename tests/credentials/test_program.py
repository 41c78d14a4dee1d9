from __future__ import annotations

import time

import pytest

from dispatchfile.credentials import program
from dispatchfile.credentials.program import Unusable, ask
from tests.credentials.conftest import User


def test_an_answer(user: User) -> None:
    user.program(
        "p",
        "import sys; print(sys.stdin.read().upper(), end=''); print('noise', file=sys.stderr); sys.exit(3)",
    )
    answer = ask(["p"], "s3cret", env=user.env)
    assert (answer.code, answer.output) == (3, "S3CRET")
    assert "S3CRET" not in repr(answer)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import time; time.sleep(60)", "did not end within 1 seconds"),
        ("import subprocess; subprocess.run(['sleep', '60'])", "did not end within 1 seconds"),
        ("import subprocess; subprocess.Popen(['sleep', '60'])", "did not end within 1 seconds"),
        ("import os, sys\nwhile True: sys.stdout.buffer.write(bytes(65536))", "prints without end"),
        (r"import sys; sys.stdout.buffer.write(b'\xff\xfe')", "printed what is no text"),
        ("#!/no/such/interpreter\n", "cannot run p: No such file"),
    ],
    ids=["hangs", "its child hangs", "its child holds the pipe", "endless", "bytes", "no interpreter"],
)
def test_no_program_holds_us_up(user: User, text: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "PATIENCE_S", 1.0)
    user.program("p", text)
    started = time.monotonic()
    with pytest.raises(Unusable, match=said):
        ask(["p"], "x", env=user.env)
    assert time.monotonic() - started < 20


def test_a_program_that_is_not_there(user: User) -> None:
    with pytest.raises(Unusable, match="cannot run not-there: No such file") as caught:
        ask(["not-there"], "x", env=user.env)
    assert caught.value.help == "is it installed, and on PATH?"


def test_one_that_does_not_listen(user: User) -> None:
    user.program("p", "import os; os.close(0); print('fine')")
    assert ask(["p"], "x" * 60000, env=user.env).output == "fine\n"


def test_it_has_no_terminal_to_ask_on(user: User) -> None:
    user.program("p", "import os\ntry: os.open('/dev/tty', os.O_RDWR)\nexcept OSError: print('none')")
    assert ask(["p"], "", env=user.env).output == "none\n"
    assert program.PATIENCE_S >= 30  # a person may have to type a password into a window
