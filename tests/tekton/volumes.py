"""The volumes of a pod as folders of this machine, and where each step has them."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.tekton.substitution import Refused

Object = dict[str, Any]

IMPLICIT = {"/workspace": "workspace", "/tekton/home": "home", "/tekton/results": "results"}
"""The emptyDirs that Tekton gives every pod."""
READ_ONLY = {"/tekton/bin": "bin", "/tekton/scripts": "scripts"}


class Volumes:
    """The volumes of a pod below `folder`, its persistent ones below `claims`; `bound` are its workspaces by name."""

    def __init__(
        self, spec: Object, folder: Path, claims: Path, secrets: Mapping[str, Object], bound: Mapping[str, Object]
    ) -> None:  # fmt: skip
        self.folder = folder
        self._claims = claims
        self._secrets = secrets
        self._volumes = {volume["name"]: volume for volume in spec.get("volumes", ())}
        self.workspaces = _workspaces(spec, bound)

    def lay_out(self) -> None:
        """Make the folders; raise Refused for what no pod could be made of."""
        for name in (*IMPLICIT.values(), *READ_ONLY.values(), "creds", "volumes"):
            empty_dir(self.folder / name)
        for workspace in self.workspaces:
            if not workspace["claim"]:
                empty_dir(self.folder / "volumes" / f"ws-{workspace['name']}")
        for volume in self._volumes.values():
            self._make(volume)

    def _make(self, volume: Object) -> None:
        kind = next(key for key in volume if key != "name")
        if volume["name"].startswith("tekton-internal-"):
            raise Refused(f"volume name {volume['name']} is reserved")
        if kind == "emptyDir":
            empty_dir(self.folder / "volumes" / volume["name"])
        elif kind == "secret":
            self._project(volume["name"], volume["secret"])
        elif kind != "hostPath":
            raise Refused(f"volume {volume['name']}: {kind} is not modelled")

    def _project(self, volume: str, source: Object) -> None:
        where = self.folder / "volumes" / volume
        empty_dir(where)
        secret = source["secretName"]
        if secret not in self._secrets:
            if source.get("optional"):
                return
            raise Refused(f'MountVolume.SetUp failed for volume "{volume}" : secret "{secret}" not found')
        data = secret_data(self._secrets[secret])
        for item in source.get("items") or [{"key": key, "path": key} for key in data]:
            (where / item["path"]).parent.mkdir(parents=True, exist_ok=True)
            (where / item["path"]).write_bytes(data[item["key"]])

    def mounts(self, number: int, step: Object) -> list[str]:
        """Return the mounts of a step; its own ones and the workspaces' take the place of Tekton's at the same path."""
        mounts = {path: f"{self.folder / name}:{path}" for path, name in IMPLICIT.items()}
        mounts |= {path: f"{self.folder / name}:{path}:ro" for path, name in READ_ONLY.items()}
        mounts["/tekton/creds"] = f"{self.folder / f'creds-{number}'}:/tekton/creds"
        for one in self.workspaces:
            where = self._claims / one["claim"] / one["subPath"]
            if not one["claim"]:
                where = self.folder / "volumes" / f"ws-{one['name']}"
            mounts[one["mountPath"]] = f"{where}:{one['mountPath']}{':ro' * one['readOnly']}"
        for mount in step.get("volumeMounts", ()):
            path = os.path.normpath(mount["mountPath"])
            mounts[path] = self._own(mount, path)
        return list(mounts.values())

    def _own(self, mount: Object, path: str) -> str:
        name = mount["name"]
        if path.startswith("/tekton/") and path != "/tekton/home":
            raise Refused(
                f"volumeMount cannot be mounted under /tekton/ (volumeMount {name} mounted at {path})"
            )
        if name not in self._volumes:
            raise Refused(f'volumeMounts.name: Not found: "{name}"')
        host = self._volumes[name].get("hostPath", {}).get("path")
        where = Path(host) if host else self.folder / "volumes" / name
        if sub := mount.get("subPath"):
            where = where / sub
            where.mkdir(parents=True, exist_ok=True)
        read_only = mount.get("readOnly") or "secret" in self._volumes[name]
        return f"{where}:{path}{':ro' if read_only else ''}"


def empty_dir(path: Path) -> None:
    """Make a folder that every user may write to."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o777)


def secret_data(secret: Object) -> dict[str, bytes]:
    """Return the data of a Secret, decoded."""
    data = {key: base64.b64decode(value) for key, value in secret.get("data", {}).items()}
    return data | {key: value.encode() for key, value in secret.get("stringData", {}).items()}


def _workspaces(spec: Object, given: Mapping[str, Object]) -> list[Object]:
    """Return the workspaces of a task with where they are mounted and which claim is behind them, or none."""
    found = []
    for declared in spec.get("workspaces", ()):
        name = declared["name"]
        one = given.get(name)
        if one is None:
            if declared.get("optional"):
                continue
            raise Refused(f"bound workspaces did not match declared workspaces: {name} is not bound")
        if "persistentVolumeClaim" not in one and "emptyDir" not in one:
            raise Refused(f"workspace {name} is neither a volume claim nor an emptyDir")
        found.append(
            {
                "name": name,
                "mountPath": declared.get("mountPath", f"/workspace/{name}"),
                "readOnly": declared.get("readOnly", False),
                "subPath": one.get("subPath", ""),
                "claim": one.get("persistentVolumeClaim", {}).get("claimName", ""),
            }
        )
    return found
