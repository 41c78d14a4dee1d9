"""Stands in for kaniko's executor: one layer with the context, as an OCI layout and pushed to a registry over HTTP."""

import gzip
import hashlib
import io
import json
import pathlib
import sys
import tarfile
import urllib.request

flags = dict(word.lstrip("-").split("=", 1) for word in sys.argv[1:])
host, name = flags["destination"].split("/", 1)
name, _, tag = name.rpartition(":")
layout = pathlib.Path(flags["oci-layout-path"])
tree = io.BytesIO()
with tarfile.open(fileobj=tree, mode="w") as tar:
    tar.add(pathlib.Path(flags["context"]) / "www", "www")


def send(method: str, url: str, data: bytes = b"", kind: str = "application/octet-stream") -> str:
    request = urllib.request.Request(url, data, {"Content-Type": kind}, method=method)
    with urllib.request.urlopen(request) as answer:
        return answer.headers.get("Location", "")


def blob(data: bytes, kind: str) -> dict[str, object]:
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    (layout / "blobs/sha256").mkdir(parents=True, exist_ok=True)
    (layout / "blobs/sha256" / digest[7:]).write_bytes(data)
    if "manifest" in kind:
        send("PUT", f"http://{host}/v2/{name}/manifests/{tag}", data, kind)
    else:
        place = send("POST", f"http://{host}/v2/{name}/blobs/uploads/")
        send("PUT", f"{place}{'&' if '?' in place else '?'}digest={digest}", data)
    return {"mediaType": kind, "digest": digest, "size": len(data)}


image = "application/vnd.oci.image"
layer = blob(gzip.compress(tree.getvalue()), f"{image}.layer.v1.tar+gzip")
content = f"sha256:{hashlib.sha256(tree.getvalue()).hexdigest()}"
config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [content]}}
config_blob = blob(json.dumps(config).encode(), f"{image}.config.v1+json")
manifest = {
    "schemaVersion": 2,
    "mediaType": f"{image}.manifest.v1+json",
    "config": config_blob,
    "layers": [layer],
}
listed = blob(json.dumps(manifest).encode(), f"{image}.manifest.v1+json")
(layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
(layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [listed]}))
print(f"pushed {host}/{name}:{tag}", file=sys.stderr)
