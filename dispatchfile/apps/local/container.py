"""A container of a pod as the Engine API is asked for it (API 1.40)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dispatchfile.apps.local.objects import as_text, items, mapping, number, texts
from dispatchfile.apps.local.volumes import amount
from dispatchfile.errors import UsageError
from dispatchfile.model.quantities import quantity
from dispatchfile.run.expand import expand_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dispatchfile.apps.app import App

# What a container of ours has where its manifest asks for nothing else, so that a change by hand is seen.
UNLIMITED = {"Memory": 0, "MemorySwap": 0, "MemoryReservation": 0, "NanoCpus": 0, "CpuShares": 0}
_IMAGE = re.compile(r"[A-Za-z0-9\[][A-Za-z0-9._:/@\[\]-]*")
_PRIVILEGES = ("hostNetwork", "hostPID", "hostIPC")


def config(
    container: Mapping[str, Any],
    pod: Mapping[str, Any],
    env: Mapping[str, str],
    mounts: list[dict[str, Any]],
    app: App,
    where: str,
) -> dict[str, Any]:
    """Return the settings of a container but for its network and labels. Raises UsageError."""
    image = as_text(container.get("image"))
    if not image:
        raise UsageError(f"{where}: it has no image")
    if _IMAGE.fullmatch(image) is None or ".." in image:  # which goes into paths of the Engine API
        raise UsageError(f"{where}: {image!r} is no image name")
    settings: dict[str, Any] = {
        "Image": image,
        "Env": [f"{name}={value}" for name, value in env.items()],
        "HostConfig": {
            "Mounts": mounts,
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "2"}},
            **UNLIMITED,
            **_resources(container, where),
            **_security(container, pod, app, where),
        },
    }
    # Kubernetes: command takes the place of ENTRYPOINT, and then the image's CMD counts no more; args of CMD.
    if command := expand_words(texts(container, "command", where), env):
        settings["Entrypoint"] = command
    if args := expand_words(texts(container, "args", where), env):
        settings["Cmd"] = args
    if container.get("workingDir"):
        settings["WorkingDir"] = as_text(container["workingDir"])
    if user := _user(container, pod, where):
        settings["User"] = user
    if container.get("tty") is True:
        settings["Tty"] = True
    if container.get("stdin") is True:
        settings["OpenStdin"] = True
    return settings


def may_not_be_root(container: Mapping[str, Any], pod: Mapping[str, Any], where: str) -> bool:
    """Return whether the image decides about a container's user, and must not say root. Raises UsageError."""
    merged = {**mapping(pod, "securityContext", where), **mapping(container, "securityContext", where)}
    if merged.get("runAsNonRoot") is not True:
        return False
    if "runAsUser" in merged and number(merged, "runAsUser", 0, where) == 0:
        raise UsageError(f"{where}: runAsNonRoot is true, and runAsUser is 0, which is root")
    return "runAsUser" not in merged


def published(container: Mapping[str, Any], where: str) -> dict[str, list[dict[str, str]]]:
    """Return the ports of this machine that a container asks for; they are open to this machine alone."""
    ports: dict[str, list[dict[str, str]]] = {}
    for port in items(container, "ports", where):
        if host := number(port, "hostPort", 0, where):
            name = (
                f"{number(port, 'containerPort', 0, where)}/{as_text(port.get('protocol') or 'TCP').lower()}"
            )
            ports.setdefault(name, []).append({"HostIp": "127.0.0.1", "HostPort": str(host)})
    return ports


def named_ports(container: Mapping[str, Any], where: str) -> dict[str, int]:
    """Return the named ports of a container."""
    return {
        as_text(port["name"]): number(port, "containerPort", 0, where)
        for port in items(container, "ports", where)
        if port.get("name")
    }


def refuse_privileges(pod: Mapping[str, Any], app: App, where: str) -> None:
    """Raise UsageError for a pod that wants rights over this machine that the application was not given."""
    for field in _PRIVILEGES:
        if pod.get(field) is True and not app.privileged:
            raise _not_given(f"{where}: {field}", app)


def _resources(container: Mapping[str, Any], where: str) -> dict[str, int]:
    """Return limits as the engine's, requests as what it sets aside."""
    resources = mapping(container, "resources", where)
    limits, requests = mapping(resources, "limits", where), mapping(resources, "requests", where)
    found: dict[str, int] = {}
    if "memory" in limits:
        # Without swap on top, as on a cluster: the limit is the limit.
        found["Memory"] = found["MemorySwap"] = amount(limits["memory"], where)
    if "memory" in requests:
        reserved = amount(requests["memory"], where)
        found["MemoryReservation"] = min(reserved, found.get("Memory", reserved))
    if "cpu" in limits:
        found["NanoCpus"] = _billionths(limits["cpu"], where)
    if "cpu" in requests:
        # 1024 shares a core, at least 2, as the kubelet reckons.
        found["CpuShares"] = max(2, _billionths(requests["cpu"], where) * 1024 // 10**9)
    return found


def _billionths(value: Any, where: str) -> int:
    try:
        above, under = quantity(as_text(value))
    except ValueError as error:
        raise UsageError(f'{where}: "{value}" is no quantity: {error}') from None
    return above * 10**9 // under


def _user(container: Mapping[str, Any], pod: Mapping[str, Any], where: str) -> str:
    merged = {
        **mapping(pod, "securityContext", where),
        **mapping(container, "securityContext", where),
    }
    user = str(number(merged, "runAsUser", 0, where)) if "runAsUser" in merged else ""
    group = f":{number(merged, 'runAsGroup', 0, where)}" if "runAsGroup" in merged else ""
    return f"{user or 0}{group}" if user or group else ""


def _security(container: Mapping[str, Any], pod: Mapping[str, Any], app: App, where: str) -> dict[str, Any]:
    own, pods = mapping(container, "securityContext", where), mapping(pod, "securityContext", where)
    capabilities = mapping(own, "capabilities", where)
    added = texts(capabilities, "add", where)
    if own.get("privileged") is True and not app.privileged:
        raise _not_given(f"{where}: privileged", app)
    if added and not app.privileged:
        raise _not_given(f"{where}: capabilities {', '.join(added)}", app)
    groups = [str(one) for one in texts(pods, "supplementalGroups", where)]
    if "fsGroup" in pods:
        groups.append(str(number(pods, "fsGroup", 0, where)))
    found: dict[str, Any] = {
        "CapAdd": added,
        "CapDrop": texts(capabilities, "drop", where),
        "Privileged": own.get("privileged") is True,
        "ReadonlyRootfs": own.get("readOnlyRootFilesystem") is True,
        "GroupAdd": groups,
    }
    if own.get("allowPrivilegeEscalation") is False:
        found["SecurityOpt"] = ["no-new-privileges"]
    return found


def _not_given(what: str, app: App) -> UsageError:
    return UsageError(
        f"{what}: a right over this machine that the application was not given",
        help=f"dispatchfile gitops app set {app.name} --allow-privileged",
    )
