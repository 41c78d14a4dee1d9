"""Volumes of a pod: what of them is a volume of the engine, what a folder of this machine, and what is laid in.

ConfigMaps, Secrets and what a pod asks about itself are volumes named by the hash of their content: another content is
another volume, and another pod. A claim's volume is kept until its data is to be deleted.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
from typing import TYPE_CHECKING, Any

from dispatchfile.apps.local.labels import APP, OBJECT, POD, engine_name
from dispatchfile.apps.local.objects import as_text, items, mapping, number
from dispatchfile.apps.local.resources import of_reference
from dispatchfile.errors import UsageError
from dispatchfile.model.quantities import quantity
from dispatchfile.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dispatchfile.apps.app import App
    from dispatchfile.apps.local.environment import Facts
    from dispatchfile.apps.local.objects import Objects

CONTENT = "dispatchfile.content"
_MODE = 0o644


class File(Record):
    """A file to be laid into a volume."""

    data: bytes
    mode: int


class Volume(Record):
    """A volume of the engine. `files` are what it holds, None for one that begins empty and may be written.

    `group` is the group that its files belong to. A `memory` volume is gone when nothing mounts it any more.
    """

    name: str
    labels: Mapping[str, str]
    options: Mapping[str, str]
    files: Mapping[str, File] | None = None
    group: int = 0
    memory: bool = False


class Source(Record):
    """What the name of a volume in a pod stands for: a volume of the engine, or a path of this machine."""

    volume: Volume | None = None
    path: str = ""
    read_only: bool = False


class Volumes:
    """The volumes of one pod. Raises UsageError for what cannot be."""

    def __init__(self, app: App, objects: Objects, facts: Facts, spec: Mapping[str, Any], where: str) -> None:
        self._app, self._objects, self._facts, self._where = app, objects, facts, where
        self._spec = spec
        self._group = number(mapping(spec, "securityContext", where), "fsGroup", 0, where)
        self._given = {as_text(one.get("name")): one for one in items(spec, "volumes", where)}
        self._sources: dict[str, Source] = {}
        self.used: dict[str, Volume] = {}
        self.notes: list[str] = []

    def claim(self, name: str, claim: str) -> None:
        """Let a volume's name stand for a claim, as the templates of a StatefulSet do."""
        self._given[name] = {"name": name, "persistentVolumeClaim": {"claimName": claim}}

    def mounts(self, container: Mapping[str, Any], env: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return what the engine is to mount in a container."""
        from dispatchfile.run.expand import expand

        found = []
        for one in items(container, "volumeMounts", self._where):
            name, target = as_text(one.get("name")), as_text(one.get("mountPath"))
            if not target.startswith("/") or ":" in target:
                raise UsageError(f'{self._where}: mountPath "{target}" is no absolute path')
            inner = expand(as_text(one.get("subPathExpr")), env) or as_text(one.get("subPath"))
            found.append(self._mount(name, target, inner, read_only=one.get("readOnly") is True))
        return found

    def _mount(self, name: str, target: str, inner: str, *, read_only: bool) -> dict[str, Any]:
        if inner and (inner.startswith("/") or ".." in inner.split("/")):
            raise UsageError(f'{self._where}: subPath "{inner}" leads out of the volume {name}')
        source = self._source(name)
        if source.volume is None:
            path = self._opened(posixpath.join(source.path, inner)) if inner else source.path
            return {"Type": "bind", "Source": path, "Target": target, "ReadOnly": read_only}
        volume = source.volume
        if inner and volume.files is None:
            volume = self._part_of(volume, inner)
        self.used[volume.name] = volume
        if inner and volume.files is not None:
            return self._content_mount(volume, name, target, posixpath.normpath(inner))
        return {
            "Type": "volume", "Source": volume.name, "Target": target,
            "ReadOnly": read_only or source.read_only, "VolumeOptions": {"NoCopy": True},
        }  # fmt: skip

    def _content_mount(self, volume: Volume, name: str, target: str, inner: str) -> dict[str, Any]:
        """Mount a file or folder of what was laid in; its place is known once the engine has made the volume."""
        if not any(path == inner or path.startswith(f"{inner}/") for path in volume.files or ()):
            raise UsageError(f'{self._where}: the volume {name} holds no "{inner}"')
        return {"Type": "bind", "Volume": volume.name, "Inner": inner, "Target": target, "ReadOnly": True}

    def _part_of(self, volume: Volume, inner: str) -> Volume:
        """Return a volume for a part of one that may be written: a link in it could lead the engine anywhere."""
        self.notes.append(f"subPath {inner} is a volume of its own")
        part = hashlib.sha256(posixpath.normpath(inner).encode("utf-8", "surrogateescape")).hexdigest()[:12]
        return Volume(
            f"{volume.name}_{part}", volume.labels, volume.options, None, volume.group, volume.memory
        )

    def _source(self, name: str) -> Source:
        if name not in self._sources:
            if name not in self._given:
                raise UsageError(f'{self._where}: there is no volume "{name}"')
            self._sources[name] = self._made(name, self._given[name])
        return self._sources[name]

    def _made(self, name: str, given: dict[str, Any]) -> Source:
        if (kind := next((kind for kind in _MAKERS if kind in given), None)) is None:
            kinds = ", ".join(field for field in given if field != "name") or "nothing"
            raise UsageError(
                f'{self._where}: the volume "{name}" is {kinds}, which this engine does not have',
                help=f"it has {', '.join(_MAKERS)}",
            )
        return _MAKERS[kind](self, name, mapping(given, kind, self._where))

    def _labels(self, **more: str) -> dict[str, str]:
        return {APP: self._app.name, **more}

    def _empty(self, name: str, settings: dict[str, Any]) -> Source:
        facts = self._facts
        made = engine_name(self._app.name, "empty", facts.namespace, facts.name, name)
        memory = settings.get("medium") == "Memory"
        options = {}
        if memory:
            limit = settings.get("sizeLimit")
            size = f",size={amount(limit, self._where)}" if limit is not None else ""
            options = {"type": "tmpfs", "device": "tmpfs", "o": f"mode=1777{size}"}
        elif "sizeLimit" in settings:
            self.notes.append("sizeLimit of an emptyDir counts only in memory")
        labels = self._labels(**{POD: f"{facts.namespace}/{facts.name}"})
        return Source(Volume(made, labels, options, None, self._group, memory))

    def _host(self, _name: str, settings: dict[str, Any]) -> Source:
        return Source(path=self._opened(as_text(settings.get("path"))))

    def _opened(self, path: str) -> str:
        """Return the real path of a folder of this machine that the application may mount.

        What lies in one is the pods' to change: where a container begins again, the engine would follow a link that was
        put there meanwhile, wherever it leads. So it is the folder itself, or nothing.
        """
        real = os.path.realpath(path) if path.startswith("/") and path.isprintable() else ""
        if not real or real not in map(os.path.realpath, self._app.host_paths):
            raise UsageError(
                f'{self._where}: "{path}" of this machine is not open to the application',
                help=f"dispatchfile gitops app set {self._app.name} --allow-host-path {path}",
            )
        return real

    def _claimed(self, _name: str, settings: dict[str, Any]) -> Source:
        claim = as_text(settings.get("claimName"))
        return Source(
            claim_volume(self._app.name, self._facts.namespace, claim, self._group),
            read_only=settings.get("readOnly") is True,
        )

    def _content(self, name: str, settings: dict[str, Any], kind: str = "projected") -> Source:
        files: dict[str, File] = {}
        mode = number(settings, "defaultMode", _MODE, self._where)
        sources = items(settings, "sources", self._where) if kind == "projected" else [{kind: settings}]
        for source in sources:
            for one, value in source.items():
                if one not in _FILLERS:
                    self.notes.append(f"{one} in the volume {name} is left out")
                    continue
                files.update(_FILLERS[one](self, mapping(source, one, self._where) if value else {}, mode))
        return Source(self._content_volume(files), read_only=True)

    def _config_map(self, name: str, settings: dict[str, Any]) -> Source:
        return self._content(name, settings, "configMap")

    def _secret(self, name: str, settings: dict[str, Any]) -> Source:
        return self._content(name, settings, "secret")

    def _downward(self, name: str, settings: dict[str, Any]) -> Source:
        return self._content(name, settings, "downwardAPI")

    def _content_volume(self, files: dict[str, File]) -> Volume:
        digest = hashlib.sha256(f"{self._app.name} {self._group}".encode())
        for path, file in sorted(files.items()):
            digest.update(f"\0{path}\0{file.mode}\0{len(file.data)}\0".encode() + file.data)
        name = digest.hexdigest()[:24]
        return Volume(
            engine_name(self._app.name, "content", name),
            self._labels(**{CONTENT: name}),
            {},
            files,
            self._group,
        )

    def _of_config_map(self, settings: dict[str, Any], mode: int) -> dict[str, File]:
        return self._keys("ConfigMap", as_text(settings.get("name")), settings, mode)

    def _of_secret(self, settings: dict[str, Any], mode: int) -> dict[str, File]:
        name = settings.get("secretName", settings.get("name"))
        return self._keys("Secret", as_text(name), settings, mode)

    def _keys(self, kind: str, name: str, settings: dict[str, Any], mode: int) -> dict[str, File]:
        optional = settings.get("optional") is True
        data = self._objects.data(kind, self._facts.namespace, name)
        if data is None:
            if optional:
                return {}
            raise UsageError(
                f'{self._where}: the repository has no {kind} "{name}" in the namespace {self._facts.namespace}'
            )
        chosen = items(settings, "items", self._where)
        if not chosen:
            return {_inside(key, self._where): File(value, mode) for key, value in data.items()}
        files = {}
        for item in chosen:
            key = as_text(item.get("key"))
            if key in data:
                path = _inside(as_text(item.get("path")), self._where)
                files[path] = File(data[key], number(item, "mode", mode, self._where))
            elif not optional:
                raise UsageError(f'{self._where}: {kind} {name} has no key "{key}"')
        return files

    def _of_pod(self, settings: dict[str, Any], mode: int) -> dict[str, File]:
        files = {}
        for item in items(settings, "items", self._where):
            if "resourceFieldRef" in item:
                ref = mapping(item, "resourceFieldRef", self._where)
                text = of_reference(ref, self._spec, "", self._where)
            else:
                path = as_text(mapping(item, "fieldRef", self._where).get("fieldPath"))
                text = self._facts.field(path, self._where)
            files[_inside(as_text(item.get("path")), self._where)] = File(
                text.encode(), number(item, "mode", mode, self._where)
            )
        return files


_MAKERS = {
    "configMap": Volumes._config_map,
    "secret": Volumes._secret,
    "emptyDir": Volumes._empty,
    "hostPath": Volumes._host,
    "persistentVolumeClaim": Volumes._claimed,
    "projected": Volumes._content,
    "downwardAPI": Volumes._downward,
}
_FILLERS = {
    "configMap": Volumes._of_config_map,
    "secret": Volumes._of_secret,
    "downwardAPI": Volumes._of_pod,
}


def claim_volume(app: str, namespace: str, claim: str, group: int = 0) -> Volume:
    """Return the volume of a PersistentVolumeClaim."""
    labels = {APP: app, OBJECT: f"PersistentVolumeClaim/{namespace}/{claim}"}
    return Volume(engine_name(app, "claim", namespace, claim), labels, {}, None, group)


def referred(spec: Mapping[str, Any], where: str) -> set[tuple[str, str]]:
    """Return kind and name of the ConfigMaps and Secrets that the volumes of a pod hold."""
    found = set()
    for volume in items(spec, "volumes", where):
        projected = mapping(volume, "projected", where)
        for one in (volume, *items(projected, "sources", where)):
            if "configMap" in one:
                found.add(("ConfigMap", as_text(mapping(one, "configMap", where).get("name"))))
            if "secret" in one:
                secret = mapping(one, "secret", where)
                found.add(("Secret", as_text(secret.get("secretName", secret.get("name")))))
    return found


def amount(value: Any, where: str) -> int:
    """Return a quantity of bytes as a whole number. Raises UsageError."""
    try:
        above, under = quantity(as_text(value))
    except ValueError as error:
        raise UsageError(f'{where}: "{value}" is no quantity: {error}') from None
    return -(-above // under)


def _inside(path: str, where: str) -> str:
    if not path or path.startswith("/") or ".." in path.split("/"):
        raise UsageError(f'{where}: "{path}" is no path inside a volume')
    return posixpath.normpath(path)
