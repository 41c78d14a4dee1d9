"""What all tests share: the parts of the world that take time to start, and what a skip means in CI."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests import ci, image_registry

ROOT = Path(__file__).parent.parent
TOOLBOX = "dispatchfile/toolbox:latest"

# How long an example takes depends on the machine, and on what else it does.
hypothesis.settings.register_profile("without a clock", deadline=None)
hypothesis.settings.load_profile("without a clock")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """In CI a test that needs an engine may not be skipped: it would prove nothing and look as if it did."""
    report = yield
    if ci.IN_CI and report.skipped and not hasattr(report, "wasxfail") and item.get_closest_marker("docker"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped in CI: {report.longrepr[-1]}"
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs an engine when none answers, with the reason; see above for CI."""
    marked = [item for item in items if item.get_closest_marker("docker")]
    if not marked:
        return
    from dispatchfile.errors import EnvironmentProblem
    from dispatchfile.run.connect import connect

    try:
        connect().close()
    except EnvironmentProblem as problem:
        for item in marked:
            item.add_marker(pytest.mark.skip(reason=problem.message))


@pytest.fixture(autouse=True)
def the_same_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What the user's terminal, settings and logins say changes no test, and no test changes them."""
    for name in list(os.environ):
        if name.startswith("DISPATCHFILE_") or name in (
            "NO_COLOR",
            "FORCE_COLOR",
            "CLICOLOR_FORCE",
            "COLUMNS",
        ):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path_factory.getbasetemp() / name.lower()))
    # No test gets at the keyring of who runs it.
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "disabled:")


@pytest.fixture(scope="session")
def toolbox() -> str:
    """The name of the image in which examples and tests run their steps, built when it is not there."""
    subprocess.run([str(ROOT / "runner/engine/images"), "toolbox"], check=True)
    return TOOLBOX


@pytest.fixture(scope="session")
def proxy_image() -> str:
    """The name of the image of proxies, built when it is not there."""
    subprocess.run([str(ROOT / "runner/engine/images"), "proxy"], check=True)
    return "dispatchfile/proxy:latest"


@pytest.fixture(scope="session")
def update_image() -> str:
    """The name of the image of the GitOps update, built when it is not there or older than the code."""
    subprocess.run([str(ROOT / "runner/engine/images"), "update-gitops-repo"], check=True)
    return "dispatchfile/update-gitops-repo:latest"


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """HOST:PORT of an image registry on this machine."""
    with image_registry.serving(tmp_path_factory.mktemp("registry")) as address:
        yield address
