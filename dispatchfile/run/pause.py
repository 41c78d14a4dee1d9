"""The image of the containers that hold a task's network and files: one static program of a few instructions.

It is made here and needs no registry and no compiler. The program only sleeps; the container is ended by SIGKILL.
Beside it the image holds the layout that every task's volume begins with.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
import tarfile

from dispatchfile.errors import EnvironmentProblem
from dispatchfile.run.archive import Archive
from dispatchfile.run.workspace import SCRATCH, base_layout

PAUSE_IMAGE = "dispatchfile/pause:2"

_BASE = 0x400000
_HEADERS = 64 + 56
# x86_64: mov eax, 34 (pause); syscall; jmp to the start.
_CODE_AMD64 = bytes.fromhex("b822000000 0f05 ebf7")
# aarch64 has no pause: ppoll(0, 0, 0, 0) sleeps as well. mov x0..x4, #0; mov x8, #73; svc #0; b to the start.
_CODE_ARM64 = struct.pack(
    "<8I", 0xD2800000, 0xD2800001, 0xD2800002, 0xD2800003, 0xD2800004, 0xD2800928, 0xD4000001, 0x17FFFFF9
)
_MACHINES = {"amd64": (62, _CODE_AMD64), "arm64": (183, _CODE_ARM64)}
_SPELLINGS = {"x86_64": "amd64", "aarch64": "arm64"}


def pause_program(architecture: str) -> bytes:
    """Return an ELF program that sleeps for ever. Raises EnvironmentProblem for a processor it cannot be made for."""
    architecture = _SPELLINGS.get(architecture, architecture)
    if architecture not in _MACHINES:
        raise EnvironmentProblem(
            f"the engine runs on {architecture}; this program runs tasks on {' and '.join(_MACHINES)}"
        )
    machine, code = _MACHINES[architecture]
    size = _HEADERS + len(code)
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    header = ident + struct.pack(
        "<HHIQQQIHHHHHH", 2, machine, 1, _BASE + _HEADERS, 64, 0, 0, 64, 56, 1, 0, 0, 0
    )
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, 0x1000)
    return header + segment + code


def pause_archive(architecture: str) -> bytes:
    """Return the image as the engine's `load` takes it."""
    content = Archive()
    content.file("pause", pause_program(architecture), 0o755)
    base_layout(content, f"{SCRATCH.lstrip('/')}/")
    layer = content.bytes()
    config = json.dumps(
        {
            "architecture": _SPELLINGS.get(architecture, architecture),
            "os": "linux",
            "config": {"Entrypoint": ["/pause"], "StopSignal": "SIGKILL"},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]},
            "history": [{"created_by": "dispatchfile"}],
        },
        sort_keys=True,
    ).encode()
    name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = json.dumps([{"Config": name, "RepoTags": [PAUSE_IMAGE], "Layers": ["layer.tar"]}]).encode()
    return _tar({name: (config, 0o644), "layer.tar": (layer, 0o644), "manifest.json": (manifest, 0o644)})


def _tar(files: dict[str, tuple[bytes, int]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, (content, mode) in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), mode
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
