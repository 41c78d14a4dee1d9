from __future__ import annotations

import pytest

from dispatchfile.errors import UsageError
from dispatchfile.gitops.flags import FLAGS, Options, help_text, parse


@pytest.mark.parametrize(
    ("argv", "field", "value"),
    [
        (["-git-revision=abc"], "git_revision", "abc"),
        (["--git-revision", "abc"], "git_revision", "abc"),
        (["-git-revision="], "git_revision", ""),
        (["-substitute=k=a=b/c"], "substitute", {"k": "a=b/c"}),
        (["-substitute", "k=v", "--substitute=l="], "substitute", {"k": "v", "l": ""}),
        (["-create-pull-request=false"], "create_pull_request", False),
        (["-create-pull-request"], "create_pull_request", True),
        (["--force-push=T"], "force_push", True),
        (["-template-path=a/*.tmpl"], "filepath", "a/*.tmpl"),
        (["-label=a", "--label", "b"], "label", ("a", "b")),
        (["-verbose", "--"], "verbose", True),
        (["-branch=x", "-branch=y"], "branch", "y"),
        ([], "create_pull_request", True),
    ],
    ids=lambda value: " ".join(value) or "default" if isinstance(value, list) else "",
)
def test_go_style(argv: list[str], field: str, value: object) -> None:
    options = parse(argv)
    assert getattr(options, field) == value


def test_the_originals_flags_are_kept_as_they_were_given() -> None:
    given = [
        "-git-revision",
        "r1",
        "--compat-header",
        "-app=x",
        "--force-push=T",
        "--label",
        "a",
        "-substitute=k=v",
    ]
    assert parse(given).argv == ("-git-revision", "r1", "--force-push=T", "-substitute=k=v")


@pytest.mark.parametrize(
    ("argv", "message", "hint"),
    [
        (["-substitutue=a=b"], 'unknown flag "-substitutue"', 'did you mean "-substitute"?'),
        (["--git-revison", "x"], 'unknown flag "--git-revison"', 'did you mean "-git-revision"?'),
        (["-xyzzy"], 'unknown flag "-xyzzy"', "--help"),
        (["-branch"], "-branch needs a value", "-branch=BRANCH"),
        (["-verbose=maybe"], '-verbose is true or false, not "maybe"', ""),
        (["-verbose", "false"], 'unexpected argument "false"', "flags only"),
        (["-"], 'unexpected argument "-"', "flags only"),
        (["-substitute=novalue"], "takes KEY=VALUE", ""),
        (["-substitute==v"], "takes KEY=VALUE", ""),
        (["-substitute=k=1", "-substitute=k=2"], 'two values for "k"', "once"),
        (["-scm-provider=githup"], '"githup" is not known', 'did you mean "github"?'),
        (["-output=yaml"], "text or json", ""),
        (["-git-ignore"], "goes with -compile-only", ""),
        (["-branch=-x"], '"-x" is not a name', ""),
        (["-git-revision=a\nb"], "is not a name", ""),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_usage_errors(argv: list[str], message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(argv)
    assert message in caught.value.message
    assert hint in caught.value.help
    assert caught.value.exit_code == 2


def test_every_flag_has_its_place_and_its_line_of_help() -> None:
    for flag in FLAGS:
        assert flag.place in Options._fields
        assert f"  -{flag.name}" in help_text()
