from __future__ import annotations

import socket
from pathlib import Path

import pytest

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.run import connect


def test_an_engine_that_says_nothing_is_not_waited_for_forever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "PATIENCE_S", 0.3)
    path = tmp_path / "engine.sock"
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(path))
        mute.listen(4)
        with pytest.raises(EnvironmentProblem, match=r"engine\.sock .* does not answer"):
            connect.connect(f"unix://{path}")


def test_a_missing_socket_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="No such file") as caught:
        connect.connect(f"unix://{tmp_path / 'none.sock'}")
    assert "DOCKER_HOST" in caught.value.help
