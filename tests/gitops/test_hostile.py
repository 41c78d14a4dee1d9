"""Repositories and settings that would have git do more, or other things, than it was asked."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dispatchfile import credentials
from dispatchfile.errors import UsageError
from dispatchfile.remote import parse
from tests.gitops.conftest import DIGESTS, TEMPLATE, Site, git

BRANCH = "dispatch/update-web"
ARGV = ("-git-revision=r1", f"-substitute=imageName={DIGESTS['a']}")


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A program that leaves a mark when it is run."""
    path = tmp_path / "trap"
    path.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\ncat\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("name", ["x", "a=b", "a.b"])
def test_content_filters_of_the_checkout_are_not_run(site: Site, trap: Path, name: str) -> None:
    site.commit("attributes", {".gitattributes": f"* filter={name}\n"})
    git(site.checkout, "push", "-q", "origin", "main")
    for key, value in {"clean": trap, "process": trap, "required": "true"}.items():
        git(site.checkout, "config", f"filter.{name}.{key}", str(value))
    (site.checkout / "README.md").write_text("edited\n")
    assert site.update(*ARGV).status == "pushed"
    assert not (trap.parent / "sprung").exists()
    assert site.show(BRANCH, "README.md") == "edited"


def test_a_repository_beside_the_checkout_is_only_read(site: Site, trap: Path, tmp_path: Path) -> None:
    """A signed commit and log.showSignature would run the program that the repository names."""
    source = tmp_path / "source"
    git(tmp_path, "init", "-q", str(source))
    git(source, "commit", "-q", "--allow-empty", "-m", "start")
    plain = git(source, "cat-file", "commit", "HEAD")
    head, gap, rest = plain.partition("\n\n")
    signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----"
    signed = subprocess.run(
        ["git", "hash-object", "-t", "commit", "-w", "--stdin"],
        cwd=source,
        input=f"{head}\n{signature}{gap}{rest}\n",
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    git(source, "config", "gpg.program", str(trap))
    git(source, "config", "log.showSignature", "true")
    git(source, "log", "-1", signed)
    (tmp_path / "sprung").unlink()  # git by itself does run it
    done = site.update(f"-git-revision={signed}", ARGV[1])
    assert "Source-Date: " in done.message
    assert not (tmp_path / "sprung").exists()


SETTINGS = {
    "for reading": """
        color.ui=always diff.noprefix=true diff.relative=true log.showSignature=true trailer.separators==
        i18n.logOutputEncoding=ISO-8859-1 init.defaultBranch=elsewhere core.autocrlf=true""",
    "for patches": """
        color.diff=always diff.mnemonicPrefix=true diff.context=0 diff.renames=copies
        apply.ignoreWhitespace=change apply.whitespace=error-all""",
}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_settings_of_the_user_change_nothing(
    make_site: Callable[[dict[str, str]], Site], own_git_settings: Path, settings: str
) -> None:
    """Edits of earlier steps arrive whole, and the update is known again, whatever suits the user's own reading."""
    site = make_site({"sub/app.yaml.tmpl": TEMPLATE, "README.md": "one\ntwo\nthree\n"})
    (site.checkout / "README.md").write_text("one\nzwei \nthree\n")
    pairs = [re.split(r"[.=]", setting, maxsplit=2) for setting in settings.split()]
    own_git_settings.write_text("".join(f'[{name}]\n\t{key} = "{value}"\n' for name, key, value in pairs))
    done = site.update(*ARGV, "-commit-message=gr\u00fcn", directory="sub")
    assert done.status == "pushed"
    assert site.update(*ARGV, "-commit-message=gr\u00fcn", directory="sub").status == "unchanged"
    own_git_settings.write_text("")
    assert site.show(done.branch, "README.md") == "one\nzwei \nthree"


def test_the_file_behind_an_output_that_is_a_link_is_updated(
    make_site: Callable[[dict[str, str]], Site],
) -> None:
    site = make_site({"app.yaml.tmpl": TEMPLATE, "real/app.yaml": "old\n"})
    (site.checkout / "app.yaml").symlink_to("real/app.yaml")
    site.commit("link", {})
    git(site.checkout, "push", "-q", "origin", "main")
    assert site.update(*ARGV).status == "pushed"
    assert git(site.bare, "diff", "--name-only", f"main...{BRANCH}") == "real/app.yaml"
    assert DIGESTS["a"] in site.show(BRANCH, "real/app.yaml")


def test_a_repository_of_sha256(tmp_path: Path) -> None:
    site = Site(tmp_path / "b.git", tmp_path / "c")
    git(tmp_path, "init", "-q", "--bare", "--object-format=sha256", "-b", "main", str(site.bare))
    git(tmp_path, "init", "-q", "--object-format=sha256", "-b", "main", str(site.checkout))
    git(site.checkout, "remote", "add", "origin", str(site.bare))
    site.commit("start", {"app.yaml.tmpl": TEMPLATE})
    git(site.checkout, "push", "-q", "origin", "main")
    assert len(site.update(*ARGV).commit) == 64


def test_what_files_hold_does_not_steer_the_terminal(make_site: Callable[[dict[str, str]], Site]) -> None:
    site = make_site({"app.yaml.tmpl": TEMPLATE})
    (site.checkout / "app.yaml").write_bytes(b"caf\xe9 \x1b]0;title\x07\x1b[2J\n")
    site.commit("odd bytes", {})
    git(site.checkout, "push", "-q", "origin", "main")
    done = subprocess.run(
        [sys.executable, "-m", "dispatchfile", "gitops", "update", *ARGV, "--dry-run"],
        cwd=site.checkout,
        env=dict(os.environ),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"-caf" in done.stdout
    assert b"\x1b" not in done.stdout
    assert done.stderr == b""


@pytest.mark.parametrize("place", ["/%0ahost%3dgithub.com", "user%0ahost=github.com@127.0.0.1/x"])
def test_a_url_asks_for_no_other_hosts_password(place: str) -> None:
    url = f"http://127.0.0.1{place}" if place.startswith("/") else f"http://{place}"
    with pytest.raises(UsageError, match="escaped control character"):
        parse(url)


def test_the_line_end_of_a_token_is_no_part_of_it(tmp_path: Path) -> None:
    found = credentials.find(
        parse("https://git.example.com/a"), {"DISPATCHFILE_GIT_TOKEN": "t0ken\n"}, directory=tmp_path
    )
    assert found is not None
    assert found.token == "t0ken"
