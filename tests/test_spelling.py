import pytest

from dispatchfile.spelling import nearest


@pytest.mark.parametrize(
    ("name", "candidates", "answer"),
    [
        pytest.param("src-gti", ["src-git", "gitops"], "src-git", id="swapped letters"),
        pytest.param("docker_image", ["docker-image"], "docker-image", id="underscore for dash"),
        pytest.param("Test", ["test"], "test", id="case"),
        pytest.param("eresource", ["resource", "task"], "resource", id="one letter too many"),
        pytest.param("deploy", ["build", "test"], None, id="nothing close"),
        pytest.param("ab", ["cd"], None, id="short names differ wholly"),
        pytest.param("same", ["same"], None, id="the name itself is no suggestion"),
        pytest.param("bild", ["build", "bold", "bald"], "build", id="the first of the nearest"),
        pytest.param("", ["a"], None, id="empty"),
        pytest.param("g", ["x"], None, id="one letter is not like another"),
    ],
)
def test_nearest(name: str, candidates: list[str], answer: str | None) -> None:
    assert nearest(name, candidates) == answer
