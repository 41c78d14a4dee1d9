"""Updates that set images and values in place, from the checkout to the remote."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dispatchfile.errors import DispatchfileError
from tests.gitops.conftest import DIGESTS, TEMPLATE, Site, git

APP = """\
kind: Deployment
apiVersion: apps/v1
metadata: {name: web}
spec:
  replicas: 1 # some
  template: {spec: {containers: [{name: main, image: registry.test/acme/web:1}]}}
"""


@pytest.fixture
def place(make_site: Callable[[dict[str, str]], Site]) -> Site:
    return make_site({"app.yaml": APP, "key.yaml": "password: old-secret\n", "web.yaml.tmpl": TEMPLATE})


def test_the_commit_tells_the_images_and_hides_other_values(place: Site) -> None:
    argv = (
        f"-set-image=web={DIGESTS['a']}",
        "-set=key.yaml:password=new-secret",
        "-set=app.yaml:spec.replicas=2",
    )
    done = place.update("-git-revision=r1", *argv)
    assert (done.status, done.branch) == ("pushed", "dispatch/update-web")
    assert git(place.bare, "diff", "--name-only", f"main...{done.branch}").split() == ["app.yaml", "key.yaml"]
    lines = git(place.bare, "log", "-1", "--format=%B", done.branch).splitlines()
    assert lines[0] == "update web for commit r1"
    assert lines[2:7] == [
        "app.yaml",
        f"  spec.template.spec.containers[name=main].image: registry.test/acme/web:1 -> {DIGESTS['a']}",
        "  spec.replicas: changed",
        "key.yaml",
        "  password: changed",
    ]
    assert f"Image: {DIGESTS['a']}" in lines
    assert "secret" not in done.message + done.body
    assert place.show(done.branch, "app.yaml") == APP.replace(
        "registry.test/acme/web:1", DIGESTS["a"]
    ).replace("replicas: 1", "replicas: 2").rstrip("\n")
    assert place.update("-git-revision=r1", *argv).status == "unchanged"


def test_with_templates(place: Site) -> None:
    done = place.update(
        "-git-revision=r1", f"-substitute=imageName={DIGESTS['b']}", f"-set-image=web={DIGESTS['b']}"
    )
    assert git(place.bare, "diff", "--name-only", f"main...{done.branch}").split() == ["app.yaml", "web.yaml"]
    assert done.title == "update templates for commit r1"


def test_nothing_to_do_and_only_shown(place: Site) -> None:
    assert place.update("-set-image=web=:1").status == "nothing"
    shown = place.update("-set-image=web=:2", "--dry-run")
    assert (shown.status, place.branches()) == ("pending", {"main"})
    assert "+  template: {spec: {containers: [{name: main, image: registry.test/acme/web:2}]}}" in shown.diff


def test_edits_of_earlier_steps_stay(place: Site) -> None:
    (place.checkout / "app.yaml").write_text(APP.replace("# some", "# more"))
    done = place.update("-set-image=web=:2")
    assert place.show(done.branch, "app.yaml") == APP.replace("# some", "# more").replace(
        "web:1", "web:2"
    ).rstrip("\n")


@pytest.mark.parametrize(
    ("argv", "branch"),
    [
        (("-set-image=web=:2",), "dispatch/update-web"),
        (("-set-image=web=registry.test/other/page:2",), "dispatch/update-page"),
        (("-set=key.yaml:password=x",), "dispatch/update-key"),
        (("-set-image=web=:2", "-filepath=*.yaml"), "dispatch/update-web"),
    ],
)
def test_branches(place: Site, argv: tuple[str, ...], branch: str) -> None:
    assert place.update(*argv).branch == branch


def test_what_goes_wrong_pushes_nothing(place: Site) -> None:
    with pytest.raises(DispatchfileError, match='is named "nobody"'):
        place.update("-set-image=nobody=:2")
    assert place.branches() == {"main"}
