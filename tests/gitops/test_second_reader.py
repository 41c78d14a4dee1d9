"""What an update pushed, read by GitPython: a second reader of repositories that shares no code with the first."""

from __future__ import annotations

import git
import pytest

from tests.gitops.conftest import DIGESTS, Site


@pytest.mark.parametrize("per_revision", [False, True], ids=["stable branch", "branch per revision"])
def test_a_second_reader_sees_the_same_update(site: Site, *, per_revision: bool) -> None:
    argv = ["-git-revision=r1", f"-substitute=imageName={DIGESTS['a']}"]
    done = site.update(*argv, *(["-branch-per-revision"] if per_revision else []))
    with git.Repo(site.bare) as repository:
        assert repository.bare
        head = repository.heads[done.branch].commit
        assert head.hexsha == done.commit
        assert [parent.hexsha for parent in head.parents] == [repository.heads["main"].commit.hexsha]
        changed = head.parents[0].diff(head)
        assert [(change.change_type, change.b_path) for change in changed] == [("A", "app.yaml")]
        written = (head.tree / "app.yaml").data_stream.read().decode()
        assert written.splitlines()[-1] == f'image: "{DIGESTS["a"]}"'
        assert dict(head.trailers_dict)["Source-Revision"] == ["r1"]
        assert (head.tree / "app.yaml").mode == (head.tree / "app.yaml.tmpl").mode
