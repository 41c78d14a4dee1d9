"""Scripts of steps: compiled as they are, with nothing in them that a cluster would read, and values kept from it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from dispatchfile.tekton import _scripts, scripts
from tests import ci
from tests.tekton.shells import SHELLS

STEPS = Path(__file__).parents[2] / "runner/steps"
NAMES = sorted(path.stem for path in STEPS.glob("*.sh"))


def test_the_module_is_up_to_date():
    assert scripts.main(["--check"]) == 0


def test_each_script_has_its_constant():
    constants = {name for name in vars(_scripts) if name.isupper()}
    assert constants == {name.upper().replace("-", "_") for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_is_one_in_every_shell(shell: str, name: str):
    if shutil.which(SHELLS[shell][0]) is None:
        ci.skip(f"{shell} is not installed")
    text = getattr(_scripts, name.upper().replace("-", "_"))
    done = subprocess.run([*SHELLS[shell], "-n"], input=text, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", NAMES)
def test_only_the_comment_at_the_head_is_left_out(name: str):
    sent = getattr(_scripts, name.upper().replace("-", "_")).splitlines()
    lines = (STEPS / f"{name}.sh").read_text(encoding="utf-8").splitlines()
    code = next(at for at, line in enumerate(lines) if not line.startswith("#"))
    assert sent == [lines[0], *lines[code:]]
    assert not any("shellcheck" in line for line in sent)


@pytest.mark.parametrize(
    "taken", ["$(params.x)", "$(results.x.path)", "$(context.taskRun.name)", "{{ revision }}"]
)
def test_text_that_a_cluster_would_take_is_refused(taken: str, tmp_path: Path):
    (tmp_path / "bad.sh").write_text(f"#!/bin/sh\necho '{taken}'\n")
    with pytest.raises(ValueError, match=r"bad\.sh"):
        scripts.generated(tmp_path)


def test_a_script_for_another_shell_is_refused(tmp_path: Path):
    (tmp_path / "bad.sh").write_text("#!/bin/bash\n")
    with pytest.raises(ValueError, match="#!/bin/sh"):
        scripts.generated(tmp_path)


def test_every_character_survives_the_compilation(tmp_path: Path):
    text = '#!/bin/sh\nprintf \'%s\\n\' "a\\\\b" \'c"d\' "e\'f" # \\\' \\"\n\techo "$(date)" `x` ü\n'
    (tmp_path / "odd-one.sh").write_text(text, encoding="utf-8")
    module: dict[str, str] = {}
    exec(scripts.generated(tmp_path), module)
    assert module["ODD_ONE"] == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$(context.git.url)", "$(params.git-url)"),
        ("a-$(context.build.name)-$(context.git.tag)", "a-$(params.build-name)-$(params.git-tag)"),
        ("plain", "plain"),
        ("$(params.git-url)", "$(DISPATCHFILE_DOLLAR)(params.git-url)"),
        ("$$(params.x)", "$(DISPATCHFILE_DOLLAR)$(DISPATCHFILE_DOLLAR)(params.x)"),
        ("$(HOME)$$", "$(DISPATCHFILE_DOLLAR)(HOME)$(DISPATCHFILE_DOLLAR)$(DISPATCHFILE_DOLLAR)"),
        ("$($(context.git.tag))", "$(DISPATCHFILE_DOLLAR)($(params.git-tag))"),
    ],
)
def test_variables_become_parameters_and_the_rest_is_kept_from_the_cluster(text: str, value: str):
    assert scripts.value(text) == value


def test_a_step_has_a_dollar_only_where_it_needs_one():
    with_dollar = scripts.step("s", "i", "#!/bin/sh\n", {"A": scripts.value("$x")}, [])
    assert with_dollar["env"][0] == {"name": "DISPATCHFILE_DOLLAR", "value": "$"}
    in_args = scripts.step("s", "i", "#!/bin/sh\n", {}, [scripts.value("$x")])
    assert in_args["env"] == [{"name": "DISPATCHFILE_DOLLAR", "value": "$"}]
    assert "env" not in scripts.step("s", "i", "#!/bin/sh\n", {}, ["x"])
