from __future__ import annotations

import hashlib
import io
import json
import struct
import tarfile

import pytest

from dispatchfile.errors import DispatchfileError
from dispatchfile.run.expand import expand, expand_env, expand_words
from dispatchfile.run.oci import digest_of_index, image_of_export, index_json, layout_archive
from dispatchfile.run.pause import pause_archive, pause_program

ONE = "sha256:" + "1" * 64


def test_an_index_with_one_manifest_reports_it_and_with_several_itself() -> None:
    assert digest_of_index(json.dumps({"manifests": [{"digest": ONE}]}).encode(), "x") == ONE
    several = json.dumps({"manifests": [{"digest": ONE}, {"digest": ONE}]}).encode()
    assert digest_of_index(several, "x") == "sha256:" + hashlib.sha256(several).hexdigest()


@pytest.mark.parametrize("index", [b"", b"[]", b"{}", b'{"manifests": 1}', b'{"manifests": [{}]}'])
def test_what_is_no_index(index: bytes) -> None:
    with pytest.raises(DispatchfileError, match=r"/p/index\.json is no OCI image index"):
        digest_of_index(index, "/p/index.json")


def test_a_digest_that_is_none() -> None:
    with pytest.raises(DispatchfileError, match="names a digest that is none: md5:0"):
        digest_of_index(b'{"manifests": [{"digest": "md5:0"}]}', "x")


def export() -> io.BytesIO:
    """An image as the engine exports it, with a layer that is a link to another's."""
    layer = b"a layer" * 100
    diff_id = "sha256:" + hashlib.sha256(layer).hexdigest()
    config = json.dumps({"rootfs": {"type": "layers", "diff_ids": [diff_id, diff_id]}}).encode()
    manifest = [{"Config": "c.json", "RepoTags": [], "Layers": ["one/layer.tar", "two/layer.tar"]}]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        files = {"one/layer.tar": layer, "c.json": config, "manifest.json": json.dumps(manifest).encode()}
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        link = tarfile.TarInfo("two/layer.tar")
        link.type, link.linkname = tarfile.SYMTYPE, "../one/layer.tar"
        tar.addfile(link)
    buffer.seek(0)
    return buffer


def test_a_layout_holds_what_its_manifest_names() -> None:
    manifest, described, blobs = image_of_export(export())
    assert described["digest"] == "sha256:" + hashlib.sha256(manifest).hexdigest()
    assert image_of_export(export())[0] == manifest
    packed = io.BytesIO(b"".join(layout_archive(index_json(described), blobs)))
    with tarfile.open(fileobj=packed) as tar:
        names = tar.getnames()
        index = tar.extractfile("index.json").read()
        for item in json.loads(manifest)["layers"]:
            content = tar.extractfile("blobs/sha256/" + item["digest"].removeprefix("sha256:")).read()
            assert item == {
                **item,
                "size": len(content),
                "digest": "sha256:" + hashlib.sha256(content).hexdigest(),
            }
    assert digest_of_index(index, "x") == described["digest"]
    assert len(names) == len(set(names))


def test_the_pause_image_is_the_same_every_time_and_whole() -> None:
    assert pause_archive("x86_64") == pause_archive("amd64")
    with tarfile.open(fileobj=io.BytesIO(pause_archive("arm64"))) as tar:
        (entry,) = json.load(tar.extractfile("manifest.json"))
        config = json.load(tar.extractfile(entry["Config"]))
        layer = tar.extractfile("layer.tar").read()
    assert config["architecture"] == "arm64"
    assert config["rootfs"]["diff_ids"] == ["sha256:" + hashlib.sha256(layer).hexdigest()]
    with pytest.raises(DispatchfileError, match="the engine runs on riscv64"):
        pause_program("riscv64")


@pytest.mark.parametrize(("architecture", "machine"), [("amd64", 62), ("aarch64", 183)])
def test_the_pause_program_is_an_elf_whose_segment_is_all_of_it(architecture: str, machine: int) -> None:
    program = pause_program(architecture)
    assert program[:7] == b"\x7fELF\x02\x01\x01"
    kind, found, _, entry, offset = struct.unpack_from("<HHIQQ", program, 16)
    _, flags, _, address, _, size, _, _ = struct.unpack_from("<IIQQQQQQ", program, offset)
    assert (kind, found, flags, size) == (2, machine, 5, len(program))
    assert address + 120 == entry


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(A)", "1"),
        ("x$(A)y$(B)z", "x1y$(A)z"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$1"),
        ("$$", "$"),
        ("$", "$"),
        ("a$", "a$"),
        ("$A ${A}", "$A ${A}"),
        ("$(", "$("),
        ("$(A", "$(A"),
        ("$(NO)", "$(NO)"),
        ("$(git rev-parse HEAD)", "$(git rev-parse HEAD)"),
        ("$(echo $(A))", "$(echo $(A))"),
        ("$()", "$()"),
        ("echo $$ $(date)", "echo $ $(date)"),
    ],
)
def test_references_are_expanded_as_the_kubelet_does(text: str, expected: str) -> None:
    assert expand(text, {"A": "1", "B": "$(A)"}) == expected


def test_env_sees_what_stands_before_it_and_empty_words_are_the_images() -> None:
    assert expand_env({"A": "$(B)", "B": "2", "C": "$(B)$(A)"}) == {"A": "$(B)", "B": "2", "C": "2$(B)"}
    assert expand_words((), {}) is None
    assert expand_words(None, {}) is None
    assert expand_words(("$(A)",), {"A": "1"}) == ["1"]
