"""The update task: render, compare, commit, push, and see to the pull request.

An update is a pure function of the base branch and the values. It is made in a private clone that always starts from
the newest base, so it cannot conflict; when a push loses a race, it is made once more on what is there then, never
rebased. The update branch holds one commit on top of the base, and is replaced under a lease.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from dispatchfile import credentials, remote
from dispatchfile.errors import DispatchfileError, EnvironmentProblem, UsageError
from dispatchfile.gitops import checkout as checkouts
from dispatchfile.gitops import files, forge, message, proposal
from dispatchfile.gitops.checkout import Checkout, Revision
from dispatchfile.gitops.clone import Clone, LostRace, Tip
from dispatchfile.gitops.flags import Options
from dispatchfile.gitops.outcome import Outcome
from dispatchfile.record import replace

TRIES = 20
PATIENCE = 120.0
"""Seconds after which a lost race is not tried again; at least TRIES tries are made."""

Say = Callable[[str], None]


class PersonNeeded(DispatchfileError):
    """Somebody else pushed to the update branch; what they did must not be lost."""

    exit_code = 3


def update(
    directory: Path, options: Options, say: Say, opened: Callable[[Outcome], None] = lambda _outcome: None
) -> Outcome:
    """Carry out an update of the GitOps checkout at `directory`; `say` gets notes for the user.

    `opened` is told of a pull request at once when it is made, whatever may go wrong with it later.

    Raises UsageError and TemplateError for what it was given, EnvironmentProblem for what git or the forge refuse,
    PersonNeeded when the branch is not ours to replace. Whatever it raises, the remote is as it was before, except
    that a forge may refuse a pull request after its branch is pushed.
    """
    names = files.find(directory, options.filepath, among=options.splices) if options.renders else []
    checkout = checkouts.read(directory, [name.removesuffix(files.SUFFIX) for name in names])
    if options.sign:
        checkout = checkouts.signed(checkout)
    revision = checkouts.find_revision(options.git_revision, checkout.root)
    allowed = remote.may_publish(checkout.configured, checkout.push, asked=options.publish)
    credential = credentials.find(checkout.configured, directory=checkout.root)
    with tempfile.TemporaryDirectory(prefix="dispatchfile-gitops-") as folder:
        clone = Clone(checkout, credential, Path(folder), verbose=options.verbose)
        base = options.base_branch or clone.default_branch()
        app = message.app_of(options, checkout)
        place = proposal.place_of(checkout, options)
        job = Job(checkout, clone, options, revision, app, base, names, place is not None, say, opened)
        publish = allowed and not job.shown_only
        # Connected before anything is pushed: a missing token must not leave a branch without its pull request.
        hub = None
        if place and publish:
            hub = forge.connect(checkout.configured, place, credential, checkout.forge)
        try:
            outcome = job.run(publish=publish)
        except PersonNeeded as needed:
            if hub:
                proposal.tell_reviewers(needed, job, hub)
            raise
        if outcome.status == "pending" and not job.shown_only:
            say(f"{checkout.configured.url} is beyond this machine: nothing was pushed; --publish does it")
        if hub and outcome.status in ("pushed", "unchanged"):
            outcome = proposal.propose(outcome, job, hub)
        settled = outcome.status == "nothing" or bool(outcome.pull_request)
        if hub and options.close_superseded and settled:
            proposal.close_superseded(outcome, job, hub)
        return outcome


def compile_only(directory: Path, options: Options, say: Say) -> list[str]:
    """Make the files below `directory` what they are to be, without git; return their paths. Raises as `update`."""
    outputs = _outputs(directory, directory, options, say)
    files.write_all(directory, directory, outputs)
    if options.git_ignore:
        files.ignore(directory, outputs)
    return [output.path for output in outputs]


class Job:
    """One update on its way; every try makes it anew."""

    def __init__(
        self,
        checkout: Checkout,
        clone: Clone,
        options: Options,
        revision: Revision,
        app: str,
        base: str,
        templates: list[str],
        proposes: bool,  # noqa: FBT001 whether a pull request is to be made
        say: Say,
        opened: Callable[[Outcome], None],
    ) -> None:
        self.checkout = checkout
        self.clone = clone
        self.options = options
        self.revision = revision
        self.app = app
        self.base = base
        self.templates = templates
        self.proposes = proposes
        self.say = say
        self.opened = opened
        self.noted = set[str]()
        self.branch = self._branch()

    @property
    def shown_only(self) -> bool:
        """Return whether the user asked to see the update and not to push it."""
        return self.options.dry_run or self.options.check or self.options.exit_code

    def run(self, *, publish: bool) -> Outcome:
        """Try until the push wins; raises EnvironmentProblem when it never does."""
        end = time.monotonic() + PATIENCE
        tries = 0
        while True:
            tries += 1
            try:
                return self._attempt(publish=publish)
            except LostRace as race:
                if tries >= TRIES and time.monotonic() > end:
                    raise EnvironmentProblem(
                        f"{self.branch} changed under {tries} attempts to push it: {race}",
                        help="run the update again",
                    ) from race
                # Full jitter, growing with the number of those who push at once.
                time.sleep(random.uniform(0, min(0.1 * 2**tries, 5)))  # noqa: S311 no secret

    def _attempt(self, *, publish: bool) -> Outcome:
        base, tip = self.clone.fetch(self.base, self.branch)
        nothing = Outcome("nothing", self.app, self.base, self.branch, base.commit, self.checkout.configured)
        older = self._superseded(base, tip)
        if older:
            self.say(older)
            return replace(nothing, status="superseded")
        self.clone.apply(self.checkout.edits)
        where = self.clone.directory / self.checkout.prefix
        if not where.is_dir():
            raise UsageError(f"{self.base} has no directory {self.checkout.prefix}")
        if self.templates and not any((where / name).exists() for name in self.templates):
            raise UsageError(
                f"{self.base} has none of the templates found here: {', '.join(self.templates)}",
                help="git add them, or push them first: the update starts from what git tracks",
            )
        outputs = _outputs(where, self.clone.directory, self.options, self._note)
        written = files.write_all(where, self.clone.directory, outputs)
        tree = self.clone.stage([str(path) for path in written])
        made = tuple(path.relative_to(self.clone.directory).as_posix() for path in written)
        nothing = replace(nothing, files=made)
        if tree == base.tree:
            return nothing
        text = message.commit_message(self.options, self.app, self.revision, outputs, tree)
        found = replace(
            nothing,
            title=message.subject(self.options, self.app),
            message=text,
            body=message.pull_request_body(self.revision, outputs),
            proposes=self.proposes,
            diff=self.clone.masker.text(self.clone.diff(base)),
            changes=tuple(message.changes(outputs)),
        )
        direct = self.branch == self.base
        if tip and not direct and self._is_there(tip, base, tree, text):
            return replace(found, status="unchanged", commit=tip.commit)
        if tip and not direct:
            self._guard(tip, base)
        if not publish:
            return replace(found, status="pending", commit="")
        commit = self.clone.commit(text, self.checkout.author, self.revision.date)
        self.clone.push(commit, self.branch, replace=not direct, seen=tip)
        return replace(found, status="pushed", commit=commit)

    def _is_there(self, tip: Tip, base: Tip, tree: str, text: str) -> bool:
        """Return whether the branch holds this very update, signed when that is asked for."""
        same = (tip.parents, tip.tree, tip.message) == ((base.commit,), tree, text.rstrip("\n"))
        return same and (not self.options.sign or self.clone.is_signed(tip))

    def _note(self, text: str) -> None:
        """Say what is to be known of the files, once however often it is tried."""
        if text not in self.noted:
            self.noted.add(text)
            self.say(text)

    def _branch(self) -> str:
        """Return the branch to push. Without a forge, to merge at once is to push the base itself."""
        branch = message.branch_of(self.options, self.app)
        if self.options.merge_pull_request and not self.proposes:
            self.say(f"no pull request to merge: the update goes straight to {self.base}")
            branch = self.base
        if branch == self.base and self.proposes:
            raise UsageError(
                f"a pull request cannot go from {self.base} to itself",
                help="commit straight to it with -create-pull-request=false",
            )
        if self.clone.git.answer("check-ref-format", f"refs/heads/{branch}") is None:
            raise UsageError(f'"{branch}" cannot be a branch', help="name one with -branch, or another --app")
        return branch

    def _superseded(self, base: Tip, tip: Tip | None) -> str:
        """Return what to say when a newer source commit than ours is there already, else nothing."""
        if self.options.allow_downgrade or not self.revision.name:
            return ""
        theirs = [(self.base, self.clone.last_update(base, self.app))]
        if tip and tip.ours:
            theirs.append((self.branch, tip.source))
        for where, other in theirs:
            if other and checkouts.is_older(self.revision, other):
                return (
                    f"superseded: {where} holds the newer commit {other.name}; --allow-downgrade goes back "
                    f"to {self.revision.name}"
                )
        return ""

    def _guard(self, tip: Tip, base: Tip) -> None:
        if tip.ours or self.options.overwrite or self.clone.holds(base, tip):
            return
        raise PersonNeeded(
            f"{self.branch} holds commit {tip.commit[:12]} by {tip.author}, which no update made",
            help="merge or delete the branch; --overwrite replaces it and loses that commit",
        )


def _outputs(directory: Path, root: Path, options: Options, say: Say) -> list[files.Output]:
    """Return the files as they are to be: rendered ones, and those in which values are set in place."""
    outputs = files.render_all(directory, root, options) if options.renders else []
    if options.splices:
        from dispatchfile.gitops.splice import outputs as spliced

        outputs += spliced.outputs(directory, root, options, say)
    return outputs
