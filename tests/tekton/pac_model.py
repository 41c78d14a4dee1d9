"""What Pipelines-as-Code does with the files of `.tekton/` when a webhook comes, in Python, as far as emitted files ask.

Written from its source, and not from the emitter (tektoncd/pipelines-as-code, early 2026, the commits of the files):
pkg/provider/github/parse_payload.go 0136e47 and gitlab/parse_payload.go 0ef2940 (webhook to event),
pkg/opscomments/comments.go 3fef77a, pkg/pipelineascode/match.go (the order of everything), pkg/resolve (documents,
names), pkg/matcher/annotation_matcher.go 41dcd5f and cel.go b46639f, pkg/customparams/standard.go feb1532,
pkg/templates/templating.go c86e319 with `cel:` of pull request 2363, pkg/apis/pipelinesascode/keys/keys.go (the regular
expression of placeholders). Patterns are those of gobwas/glob v0.2.3 without separators; expressions are evaluated by
cel-python with RE2.

`old` is a version of 2023: no `git_tag`, no `cel:`, and in CEL a pushed branch keeps `refs/heads/` where the
expression names that.
"""

from __future__ import annotations

import copy
import functools
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import celpy
import re2  # type: ignore[import-untyped] # it has no types
import yaml

from dispatchfile.record import Record, replace

Object = dict[str, Any]
GROUP = "pipelinesascode.tekton.dev/"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
PLACEHOLDER = re.compile(r"{{([^}]{2,})}}")


class Facts(Record):
    """An event, as the provider makes it of a webhook; `params` are those of the Repository."""

    trigger: str
    type: str
    base: str
    head: str
    url: str
    sha: str
    body: Mapping[str, Any]
    number: int = 0
    comment: str = ""
    labels: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    params: Mapping[str, str] = {}
    old: bool = False


def github(
    header: str, body: Mapping[str, Any], files: Sequence[str] = (), request: Mapping[str, Any] | None = None
) -> Facts | None:
    """Return the event of a webhook of GitHub, or None where PaC does not take it on.

    `files` is what its API lists for a pull request, `request` the pull request of a comment.
    """
    body = _without_empty(body)
    url = body["repository"]["html_url"]
    if header == "push":
        if re.fullmatch("0+", body["after"]):
            return None
        sha = body.get("head_commit", {}).get("id") or body["before"]
        changed = [
            path
            for one in body.get("commits", ())
            for kind in ("added", "modified", "removed")
            for path in one.get(kind, ())
        ]
        return Facts("push", "push", body["ref"], body["ref"], url, sha, body, files=tuple(changed))
    if header == "pull_request":
        action = body["action"]
        if action not in (
            "opened",
            "synchronize",
            "synchronized",
            "reopened",
            "ready_for_review",
            "labeled",
            "unlabeled",
            "closed",
        ):
            return None
        facts = _of_request(body["pull_request"], url, body)
        if action == "closed":
            return replace(facts, trigger="pull_request_closed")
        return replace(
            facts,
            type="label_update" if action in ("labeled", "unlabeled") else "pull_request",
            files=tuple(files),
        )
    if header == "issue_comment":
        if body["action"] != "created" or "pull_request" not in body["issue"] or request is None:
            return None
        comment = body["comment"]["body"]
        facts = _of_request(_without_empty(request), url, body)
        return replace(facts, type=comment_type(comment), comment=comment, files=tuple(files))
    return None


def _of_request(request: Mapping[str, Any], url: str, body: Mapping[str, Any]) -> Facts:
    labels = tuple(one["name"] for one in request.get("labels", ()))
    base, head = request["base"]["ref"], request["head"]["ref"]
    return Facts(
        "pull_request", "", base, head, url, request["head"]["sha"], body, request["number"], labels=labels
    )


def gitlab(header: str, body: Mapping[str, Any], files: Sequence[str] = ()) -> Facts:
    """Return the event of a webhook of GitLab: a push, or something of a merge request."""
    url = body["project"]["web_url"]
    if header in ("Push Hook", "Tag Push Hook"):
        sha = body["commits"][-1]["id"]
        changed = [
            path
            for one in body["commits"]
            for kind in ("added", "modified", "removed")
            for path in one.get(kind, ())
        ]
        return Facts("push", "push", body["ref"], body["ref"], url, sha, body, files=tuple(changed))
    note = header == "Note Hook"
    request = body["merge_request"] if note else body["object_attributes"]
    comment = body["object_attributes"]["note"] if note else ""
    kind = (
        comment_type(comment)
        if note
        else "label_update"
        if "labels" in body.get("changes", {})
        else "Merge Request"
    )
    return Facts(
        "pull_request", kind, request["target_branch"], request["source_branch"], url, request["last_commit"]["id"], body,
        request["iid"], comment, () if note else tuple(one["title"] for one in body["labels"]), tuple(files),
    )  # fmt: skip


def _without_empty(value: Any) -> Any:
    """Return a body as GitHub's types for Go write it again: what is empty or null is left out."""
    if isinstance(value, Mapping):
        made = {key: _without_empty(item) for key, item in value.items()}
        return {key: item for key, item in made.items() if item not in (None, "", [], {})}
    return [_without_empty(item) for item in value] if isinstance(value, list) else value


def comment_type(comment: str) -> str:
    """Return what PaC takes a comment for."""
    for kind, pattern in (
        ("retest-all-comment", r"(?m)^/retest\s*$"),
        ("retest-comment", r"(?m)^/retest[ \t]+\S+"),
        ("test-all-comment", r"(?m)^/test\s*$"),
        ("test-comment", r"(?m)^/test[ \t]+\S+"),
        ("ok-to-test-comment", r"(?m)^/ok-to-test\s*$"),
        ("cancel-all-comment", r"(?m)^(/cancel)\s*$"),
        ("cancel-comment", r"(?m)^(/cancel)[ \t]+\S+"),
    ):
        if re.search(pattern, comment):
            return kind
    return "no-ops-comment"


# From the files to the runs.


def started(files: Mapping[str, str], facts: Facts) -> dict[str, Object]:
    """Return the PipelineRuns that are created, by their names in the files; raises as YAML and JSON do."""
    raw = "\n---\n".join(files.values())
    if facts.type.startswith("cancel"):
        return {}
    target = _test_target(facts.comment) if facts.type in ("test-comment", "retest-comment") else ""
    if not target:
        facts = replace(facts, type=_matched(_read(raw), facts)[1])
    runs = _read(filled(raw, facts))
    if target:
        chosen = [run for run in runs if _name(run) == target]
    else:
        chosen, kind = _matched(runs, facts)
        facts = replace(facts, type=kind)
    again = [_again(run, facts) for run in chosen]
    if not target:
        again = _matched(again, facts)[0]
    return {_name(run): run for run in again}


def _read(text: str) -> list[Object]:
    return copy.deepcopy(_documents(text))


@functools.lru_cache(maxsize=8)
def _documents(text: str) -> list[Object]:
    runs = []
    for document in re.split(r"(?m)^---\s*$", text):
        if not document.strip():
            continue
        try:
            made = yaml.load(document, LOADER)
        except yaml.YAMLError:
            continue  # a validation error, which PaC reports; the other documents are read
        assert isinstance(made, dict), f"no object, which PaC complains of: {document[:80]!r}"
        assert "kind" in made, f"no kind, which PaC complains of: {document[:80]!r}"
        runs.append(made)
    names = [run["metadata"]["name"] for run in runs]
    for run in runs:
        run["metadata"]["generateName"] = f"{run['metadata'].pop('name')}-"
    return [run for run in runs if names.count(_name(run)) == 1]


def _name(run: Object) -> str:
    return run["metadata"]["generateName"].removesuffix("-")  # type: ignore[no-any-return] # it is a text


def _again(run: Object, facts: Facts) -> Object:
    """Return a run in whose JSON everything is filled in once more."""
    text = json.dumps(run, ensure_ascii=False)
    text = _replaced(text, {"git_auth_secret": "pac-gitauth-abcdef"}, None)
    return json.loads(filled(text, facts))  # type: ignore[no-any-return] # an object, as it was


def _test_target(comment: str) -> str:
    _, _, rest = comment.strip().partition("/test" if "/test" in comment else "/retest")
    words = rest.split("\n")[0].split(" ")
    return words[1].strip() if len(words) > 1 else ""


# What starts a run.


def _matched(runs: Sequence[Object], facts: Facts) -> tuple[list[Object], str]:
    """Return the runs that match, and the type of the event, which a comment that matches changes."""
    found, kind = [], facts.type
    for run in runs:
        annotations = {
            key.removeprefix(GROUP): value
            for key, value in run["metadata"].get("annotations", {}).items()
            if key.startswith(GROUP)
        }
        if "on-comment" in annotations and re2.search(annotations["on-comment"], facts.comment.strip()):
            kind = "on-comment"
            found.append(run)
        elif kind in ("no-ops-comment", "on-comment"):
            continue
        elif "on-cel-expression" in annotations:
            facts = _without_heads(annotations["on-cel-expression"], facts)
            if asked(annotations["on-cel-expression"], facts):
                found.append(run)
        elif (kind != "label_update" or "on-label" in annotations) and _plainly(annotations, facts):
            found.append(run)
    return found, kind


def _plainly(annotations: Mapping[str, str], facts: Facts) -> bool:
    if "on-event" not in annotations or "on-target-branch" not in annotations:
        return False
    asks = [
        (annotations["on-event"], (facts.trigger,), False),
        (annotations["on-target-branch"], (facts.base,), True),
    ]
    if "on-path-change" in annotations:
        asks.append((annotations["on-path-change"], facts.files, True))
    if "on-label" in annotations:
        asks.append((annotations["on-label"], facts.labels, False))
    if not all(on_annotation(*ask) for ask in asks):
        return False
    ignored = annotations.get("on-path-change-ignore")
    return ignored is None or not on_annotation(ignored, facts.files, True)


def on_annotation(annotation: str, values: Sequence[str], branches: bool) -> bool:
    """Return whether one of the values is, or matches, one of the list of an annotation."""
    return any(
        wanted == value or (branches and branch_match(wanted, value))
        for wanted in listed(annotation)
        for value in values
    )


def listed(annotation: str) -> list[str]:
    """Return the items of an annotation's list; raises ValueError for what is none."""
    annotation = annotation.strip()
    match = re.search(r"^\[(.*)\]$|^[^[\]\s]*$", annotation)
    if match is None:
        raise ValueError(f"annotations in pipeline are in wrong format: {annotation}")
    if not annotation.startswith("["):
        return [annotation.replace("&#44;", ",")]
    items = [item.replace("&#44;", ",").strip() for item in match[1].split(",")]
    if not items[0]:
        raise ValueError(f'annotation "{annotation}" has empty values')
    return items


def branch_match(pattern: str, value: str) -> bool:
    """Return whether a pattern of an annotation matches a branch, a ref, or, for PaC uses it there too, a path."""
    if not pattern.startswith("refs/tags/"):
        if not pattern.startswith("refs/heads/"):
            pattern = f"refs/heads/{pattern}"
        if not value.startswith(("refs/heads/", "refs/tags/")):
            value = f"refs/heads/{value}"
    return gobwas(pattern, value)


def gobwas(pattern: str, value: str) -> bool:
    """Return whether gobwas/glob without separators matches; raises ValueError where it would panic."""
    return re.fullmatch(_gobwas(pattern), value, re.DOTALL) is not None


@functools.cache
def _gobwas(pattern: str) -> str:
    """Return the regular expression of a pattern; a class holds one range, or characters."""
    made, depth, at = "", 0, 0
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            made, at = made + re.escape(pattern[at + 1]), at + 2
            continue
        if char == "[":
            one = re.match(r"\[(!?)(?:(.)-(.)|((?:\\.|[^\]\\])+))\]", pattern[at:], re.DOTALL)
            if one is None:
                raise ValueError(f"{pattern}: gobwas/glob panics")
            inside = (
                f"{re.escape(one[2])}-{re.escape(one[3])}"
                if one[2]
                else re.escape(re.sub(r"\\(.)", r"\1", one[4]))
            )
            made, at = made + f"[{'^' * bool(one[1])}{inside}]", at + one.end()
            continue
        plain = {"*": ".*", "?": ".", "{": "(?:"}.get(char, re.escape(char))
        if char == "{":
            depth += 1
        elif depth and char in ",}":
            plain = "|" if char == "," else ")"
            depth -= char == "}"
        made, at = made + plain, at + 1
    return made


# CEL.


@functools.cache
def _program(expression: str) -> Any:
    environment = celpy.Environment()
    return environment.program(environment.compile(expression))


def _evaluated(expression: str, variables: Mapping[str, Any]) -> Any:
    """Return the value of an expression; raises CELEvalError, or CELParseError."""
    found = _value(expression, json.dumps(variables))
    if isinstance(found, celpy.CELEvalError):
        raise found
    return found


@functools.cache
def _value(expression: str, variables: str) -> Any:
    try:
        return _program(expression).evaluate(_variables(variables))
    except celpy.CELEvalError as error:
        return error


@functools.cache
def _variables(written: str) -> dict[str, Any]:
    return {name: celpy.json_to_cel(value) for name, value in json.loads(written).items()}


def asked(expression: str, facts: Facts) -> bool:
    """Return whether an expression of an annotation holds; one that fails does not."""
    variables = {
        "event": facts.trigger, "target_branch": facts.base, "source_branch": facts.head, "body": facts.body,
        "files": {"all": facts.files},
    }  # fmt: skip
    try:
        # One line after the other: cel-python works out all of them even where the first does not hold.
        return all(_evaluated(clause, variables) for clause in expression.split("\n&& "))
    except celpy.CELEvalError:
        return False


def _without_heads(expression: str, facts: Facts) -> Facts:
    """Return an event as it is from an expression on: of a push, whose branches it does not give with `refs/heads/`."""
    if facts.trigger != "push":
        return facts
    base, head = facts.base, facts.head
    for part in expression.split("&&") if facts.old else [expression]:
        if "refs/heads/" not in part:
            base = base.removeprefix("refs/heads/") if "target_branch" in part else base
            head = head.removeprefix("refs/heads/") if "source_branch" in part else head
    return replace(facts, base=base, head=head)


# Placeholders.


def filled(text: str, facts: Facts) -> str:
    """Return a text with its placeholders filled in; what is not known stays."""
    return _replaced(text, _standard(facts), facts)


def _standard(facts: Facts) -> dict[str, str]:
    def short(ref: str) -> str:
        return (
            ref.removeprefix("refs/heads/")
            if ref.startswith("refs/heads/")
            else ref.removeprefix("refs-heads-")
        )

    owner, name = facts.url.lower().split("/")[-2:]
    known = {
        "revision": facts.sha, "repo_url": facts.url, "repo_owner": owner, "repo_name": name,
        "target_branch": short(facts.base), "source_branch": short(facts.head), "source_url": facts.url, "sender": "ada",
        "target_namespace": "ci", "event_type": facts.type,
        "trigger_comment": facts.comment.replace("\r\n", "\\n").replace("\n", "\\n"),
        "pull_request_labels": "\\n".join(facts.labels),
    }  # fmt: skip
    if not facts.old:
        known["git_tag"] = (
            facts.base.removeprefix("refs/tags/") if facts.base.startswith("refs/tags/") else ""
        )
    if facts.number:
        known["pull_request_number"] = str(facts.number)
    if facts.params:  # then, and only then, what is empty is not known
        known = {**{key: value for key, value in known.items() if value}, **facts.params}
    return known


def _replaced(text: str, known: Mapping[str, str], facts: Facts | None) -> str:
    def value(match: re.Match[str]) -> str:
        key = match[1].strip()
        if facts is not None and key.startswith("cel:") and not facts.old:
            try:
                return _printed(_evaluated(key[4:].strip(), _for_text(facts, known)))
            except (celpy.CELEvalError, celpy.CELParseError):
                return ""
        if key.startswith(("body", "headers", "files")):
            try:
                return match[0] if facts is None else _printed(_evaluated(key, _for_text(facts, {})))
            except (celpy.CELEvalError, celpy.CELParseError):
                return match[0]
        return known.get(key, match[0])

    return PLACEHOLDER.sub(value, text)


def _for_text(facts: Facts, known: Mapping[str, str]) -> dict[str, Any]:
    return {"body": facts.body, "headers": {}, "files": {"all": facts.files}, "pac": dict(known)}


def _printed(value: Any) -> str:
    return (
        str(value)
        if isinstance(value, str)
        else json.dumps(json.loads(json.dumps(value, cls=celpy.CELJSONEncoder)))
    )


def params(run: Object) -> dict[str, str]:
    """Return the parameters of a run."""
    return {one["name"]: one["value"] for one in copy.deepcopy(run)["spec"].get("params", ())}
