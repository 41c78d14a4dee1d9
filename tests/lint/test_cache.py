"""Findings kept from before: never wrong ones, and none that anybody else may have put there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dispatchfile.diagnostics import Diagnostic, Edit, Fix, Related, Severity
from dispatchfile.lint import cache as cache_module
from dispatchfile.lint import engine, many
from dispatchfile.lint.cache import Cache, default_folder
from dispatchfile.lint.codec import packed, unpacked
from dispatchfile.lint.many import inspect_all
from dispatchfile.lint.rules.security import untagged_image
from dispatchfile.lint.settings import DEFAULT, Settings
from dispatchfile.source import Source, Span
from tests.lint.samples import SOUND, UNTAGGED

SOURCE = Source("Dispatchfile", UNTAGGED)


def span(start: int, end: int) -> Span:
    return Span(SOURCE, start, end)


FINDINGS = (
    Diagnostic("DF001", Severity.ERROR, ""),
    Diagnostic(
        "DF601",
        Severity.INFO,
        "a message\nof two lines, \0 \x1f 3 ä 🚀 \ud800",
        span(3, 9),
        "label",
        (Related(span(0, 0), "also"), Related(span(1, 2), "")),
        "help",
        "task.test.steps[0]",
        Fix("mend", (Edit(span(1, 2), "x\r\ny"), Edit(span(4, 4), "")), safe=False),
        secret=True,
    ),
    Diagnostic("DF602", Severity.WARNING, "m", span(0, 1), fix=Fix("", (), safe=True)),
)


@pytest.mark.parametrize("findings", [(), FINDINGS[:1], FINDINGS], ids=len)
def test_findings_come_back_as_they_were(findings: tuple[Diagnostic, ...]) -> None:
    data = packed(findings, SOURCE)
    assert data is not None
    assert unpacked(data, SOURCE) == findings


def test_findings_about_another_source_are_not_packed() -> None:
    assert packed([Diagnostic("DF601", Severity.INFO, "m", Span(Source("x", "y"), 0, 1))], SOURCE) is None


def test_damaged_findings_are_refused() -> None:
    data = packed(FINDINGS, SOURCE)
    assert data is not None
    for end in range(len(data) - 1):
        with pytest.raises(ValueError):
            unpacked(data[:end], SOURCE)


def found(source: Source, folder: Path, settings: Settings = DEFAULT) -> tuple[Diagnostic, ...]:
    return inspect_all([source], settings, Cache(str(folder), settings)).findings[0]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are inspected anew."""
    inspected: list[str] = []
    inspect = engine.inspect

    def noted(source: Source, settings: Settings = DEFAULT) -> tuple[Diagnostic, ...]:
        inspected.append(source.name)
        return inspect(source, settings)

    monkeypatch.setattr(engine, "inspect", noted)
    return inspected


def test_the_second_time_nothing_is_inspected(tmp_path: Path, counted: list[str]) -> None:
    first = found(SOURCE, tmp_path)
    assert [one.code for one in first] == ["DF601"]
    again = Source(SOURCE.name, SOURCE.text)
    second = found(again, tmp_path)
    assert counted == ["Dispatchfile"]
    assert [(one.code, str(one.span), one.message) for one in second] == [
        (one.code, str(one.span), one.message) for one in first
    ]
    assert second[0].span is not None
    assert second[0].span.source is again


@pytest.mark.parametrize(
    ("name", "text", "settings"),
    [
        ("Dispatchfile", UNTAGGED + "\n", DEFAULT),
        ("sub/Dispatchfile", UNTAGGED, DEFAULT),
        ("Dispatchfile", UNTAGGED, Settings(ignore=("DF601",))),
        ("Dispatchfile", UNTAGGED, Settings(per_file_ignores={"a/**": ("DF6",)})),
        ("Dispatchfile", UNTAGGED, Settings(severity={"DF601": Severity.INFO})),
    ],
    ids=["text", "name", "ignore", "per file", "severity"],
)
def test_whatever_decides_findings_is_part_of_the_key(
    tmp_path: Path, counted: list[str], name: str, text: str, settings: Settings
) -> None:
    found(SOURCE, tmp_path)
    found(Source(name, text), tmp_path, settings)
    assert counted[1] == name


def test_the_flavour_that_was_asked_for_is_part_of_the_key(tmp_path: Path, counted: list[str]) -> None:
    for flavour in (None, "yaml", "json", "yaml"):
        found(Source("Dispatchfile", UNTAGGED, flavour), tmp_path)
    assert len(counted) == 3


def test_name_and_text_are_not_mixed_up(tmp_path: Path, counted: list[str]) -> None:
    found(Source("a", "b: 1"), tmp_path)
    found(Source("ab", ": 1"), tmp_path)
    assert counted == ["a", "ab"]


def test_a_change_of_the_program_is_part_of_the_key(
    tmp_path: Path, counted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for room in ("cue/deep", "plain", "model", "lint"):
        (tmp_path / "checkout/dispatchfile" / room).mkdir(parents=True)
    package = tmp_path / "checkout/dispatchfile"
    monkeypatch.setattr(cache_module, "__file__", str(package / "lint/cache.py"))
    (tmp_path / "checkout/pyproject.toml").touch()
    for number, name in enumerate(("front.py", "cue/deep/new.py", "lint/cache.py"), 1):
        (package / name).touch()
        found(SOURCE, tmp_path)
        found(SOURCE, tmp_path)
        assert len(counted) == number
    os.utime(package / "front.py", (1, 1))
    found(SOURCE, tmp_path)
    assert len(counted) == 4
    monkeypatch.setattr(cache_module, "__version__", "999")
    found(SOURCE, tmp_path)
    assert len(counted) == 5


def entry(folder: Path) -> Path:
    (only,) = (folder / "lint").iterdir()
    return only


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: data.replace(b"DF601", b"DF602"),
        lambda data: b"\x80\x04cos\nsystem\n(S'touch pwned'\ntR.",
        lambda data: bytes(200),
    ],
    ids=["empty", "cut", "longer", "changed", "pickle", "zeros"],
)
def test_a_damaged_entry_is_made_anew(tmp_path: Path, counted: list[str], damage) -> None:
    first = found(SOURCE, tmp_path)
    path = entry(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert found(SOURCE, tmp_path) == first
    assert len(counted) == 2
    assert path.read_bytes() == whole


@pytest.mark.parametrize("data", [b"", b"1 2\n", b"x\nabc", b"5 5 1 0 0 0 1 0 0 0\nDF601fatalm0"])
def test_an_entry_with_a_right_check_and_nonsense_in_it_is_made_anew(
    tmp_path: Path, counted: list[str], data: bytes
) -> None:
    first = found(SOURCE, tmp_path)
    path = entry(tmp_path)
    path.write_bytes(cache_module._check(path.name, data) + data)
    assert found(SOURCE, tmp_path) == first
    assert len(counted) == 2


def test_the_folder_and_its_entries_are_private(tmp_path: Path) -> None:
    found(SOURCE, tmp_path / "deep/cache")
    assert (tmp_path / "deep/cache/lint").stat().st_mode & 0o777 == 0o700
    assert entry(tmp_path / "deep/cache").stat().st_mode & 0o777 == 0o600


def test_an_entry_that_others_may_write_is_not_believed(tmp_path: Path, counted: list[str]) -> None:
    found(SOURCE, tmp_path)
    entry(tmp_path).chmod(0o666)
    found(SOURCE, tmp_path)
    assert len(counted) == 2


def test_a_folder_that_others_may_write_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "lint").mkdir()
    (tmp_path / "lint").chmod(0o777)
    assert [one.code for one in found(SOURCE, tmp_path)] == ["DF601"]
    assert list((tmp_path / "lint").iterdir()) == []


def test_a_pipe_in_place_of_an_entry_is_not_waited_for(tmp_path: Path, counted: list[str]) -> None:
    first = found(SOURCE, tmp_path)
    path = entry(tmp_path)
    path.unlink()
    os.mkfifo(path)
    assert found(SOURCE, tmp_path) == first
    assert len(counted) == 2
    assert path.is_file()


def test_an_entry_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    found(SOURCE, tmp_path)
    path = entry(tmp_path)
    path.unlink()
    path.mkdir()
    found(SOURCE, tmp_path)
    assert list((tmp_path / "lint").iterdir()) == [path]


@pytest.mark.parametrize("kind", ["file", "device", "dangling link"])
def test_a_folder_that_cannot_be_used_is_no_error(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "cache"
    if kind == "file":
        folder.write_text("in the way")
    elif kind == "device":
        folder = Path("/dev/null")
    else:
        folder.symlink_to(tmp_path / "nothing/there")
    assert [one.code for one in found(SOURCE, folder)] == ["DF601"]


def test_the_oldest_entries_go_when_there_are_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "MOST_ENTRIES", 8)
    cache = Cache(str(tmp_path), DEFAULT)
    folder = tmp_path / "lint"
    for number in range(10):
        cache.keep(Source(f"file-{number}", SOUND), ())
        newest = max(folder.iterdir(), key=lambda path: path.stat().st_ctime_ns)
        os.utime(newest, (number, number))
    other = folder / "of-somebody-else"
    other.touch()
    os.utime(other, (0, 0))
    (folder / ("0" * 40)).symlink_to("nowhere")
    os.utime(folder / ("0" * 40), (0, 0), follow_symlinks=False)
    cache.trim()
    assert other.exists()
    other.unlink()
    left = sorted(int(path.lstat().st_mtime) for path in folder.iterdir())
    assert left == list(range(left[0], 10))
    assert 6 <= len(left) <= 8


def test_a_file_on_which_a_rule_crashed_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(untagged_image, "check", lambda subject: 1 / 0)
        result = inspect_all([SOURCE], DEFAULT, Cache(str(tmp_path), DEFAULT))
        assert isinstance(result.crash, engine.RuleCrash)
    assert [one.code for one in found(SOURCE, tmp_path)] == ["DF601"]


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert default_folder() == "/x/dispatchfile"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/u")
    assert default_folder() == "/home/u/.cache/dispatchfile"


# Many files


def sources(count: int) -> list[Source]:
    filler = "// filler\n" * 50
    texts = [SOUND.replace("golang:1.22", f"golang-{number}") + filler for number in range(count)]
    return [Source(f"{number}/Dispatchfile", text) for number, text in enumerate(texts)]


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Share even a little work out to three processes."""
    monkeypatch.setattr(many, "_SHARED_FROM", 1)
    monkeypatch.setattr(many, "_processors", lambda: 3)


@pytest.mark.parametrize("cached", [False, True])
def test_workers_find_the_same_in_the_same_order(workers: None, tmp_path: Path, cached: bool) -> None:
    files = sources(20)
    cache = Cache(str(tmp_path), DEFAULT) if cached else None
    result = inspect_all(files, DEFAULT, cache)
    assert result.crash is None
    assert [[one.message.split('"')[1] for one in some] for some in result.findings] == [
        [f"golang-{number}"] for number in range(20)
    ]
    assert all(
        some[0].span and some[0].span.source is file
        for some, file in zip(result.findings, files, strict=True)
    )
    assert len(list((tmp_path / "lint").iterdir()) if cached else []) == (20 if cached else 0)


def test_workers_do_the_work(workers: None, counted: list[str]) -> None:
    inspect_all(sources(20), DEFAULT, None)
    assert counted == ["0/Dispatchfile"], "the others were inspected in other processes"


def test_a_crash_in_a_worker_is_told_and_hides_no_other_file(
    workers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = untagged_image.check

    def crash(subject):
        if subject.source.name.startswith("7/"):
            raise ZeroDivisionError
        return check(subject)

    monkeypatch.setattr(untagged_image, "check", crash)
    result = inspect_all(sources(20), DEFAULT, None)
    assert isinstance(result.crash, engine.RuleCrash)
    assert [len(some) for some in result.findings] == [1] * 7 + [0] + [1] * 12


def test_what_a_killed_worker_has_not_done_is_done(workers: None, monkeypatch: pytest.MonkeyPatch) -> None:
    inspect, parent = engine.inspect, os.getpid()

    def die(source: Source, settings: Settings = DEFAULT) -> tuple[Diagnostic, ...]:
        if os.getpid() != parent and source.name.startswith("11/"):
            os._exit(9)
        return inspect(source, settings)

    monkeypatch.setattr(engine, "inspect", die)
    result = inspect_all(sources(20), DEFAULT, None)
    assert result.crash is None
    assert [len(some) for some in result.findings] == [1] * 20
