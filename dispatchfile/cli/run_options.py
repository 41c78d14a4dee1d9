"""The options of `dispatchfile run`."""

from __future__ import annotations

import argparse

from dispatchfile.cli import options
from dispatchfile.cli.parser import examples

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dispatchfile.cli.parser import Commands, Parser

EXAMPLES = examples(
    "dispatchfile run                                         what the commit you are on would run",
    "dispatchfile run --event push --branch main -j 4",
    "dispatchfile run test build                              two tasks, and what they need",
    "dispatchfile run --secret-file secrets.yaml deploy       with secrets: {name: {key: value}}",
    "dispatchfile run --shell-on-failure test                 look around where a step failed",
    "dispatchfile run --rerun last                            only what failed or was skipped",
    "dispatchfile run -n --event tag --tag v1.0               show the commands, run nothing",
    "dispatchfile run --engine tekton --context staging       the commit you are on, on a cluster",
)


def add_parser(commands: Commands) -> None:
    """Add the parser of the command."""
    parser = commands.add_parser(
        "run",
        description="Run the tasks of the actions that an event fires, or TASK and what it needs, in containers on\n"
        "this machine, where nothing is published beyond it without --publish; or on a cluster, with\n"
        "--engine tekton, where the commit that is pushed runs as the service account may.",
        epilog=EXAMPLES,
    )
    options.add_task_options(parser)
    _add_run_options(parser)
    _add_supply_options(parser)
    _add_engine_options(parser)
    _add_cluster_options(parser)
    _add_output_options(parser)
    options.add_event_options(parser)


def _add_run_options(parser: Parser) -> None:
    add = parser.add_argument_group("what runs").add_argument
    add("--revision", metavar="REV", help="this commit of the repository, not the working tree")
    add(
        "--untracked",
        action="store_true",
        default=None,
        help="with files that git does not track (never ignored ones)",
    )
    add("--rerun", metavar="RUN", help='what failed or was skipped in an earlier run: its id, or "last"')
    add(
        "-n",
        "--dry-run",
        action="store_true",
        help="walk the plan and show the commands, or the objects for a cluster; run nothing",
    )
    add(
        "-j",
        "--jobs",
        type=options.positive,
        metavar="N",
        help="tasks at once (default: four for each processor, at least 8)",
    )
    add(
        "--fail-fast",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="stop everything at the first failure",
    )
    add(
        "--timeout",
        metavar="TIME",
        default="1h",
        help="limit of the whole run, such as 90s, 1h30m or 0 (default: 1h)",
    )
    add("--shell-on-failure", action="store_true", help="open a shell where a step failed")
    add("--publish", action="store_true", help="let images and pull requests go beyond this machine")


def _add_supply_options(parser: Parser) -> None:
    add = parser.add_argument_group("variables and secrets").add_argument
    add(
        "--env",
        action="append",
        metavar="NAME[=VALUE]",
        help="a variable for every step; without a value: yours",
    )
    add("--env-file", action="append", metavar="FILE", help="variables, one NAME=VALUE a line")
    add("--secret", action="append", metavar="NAME/KEY[=VALUE]", help="a secret; without a value: from "
        "DISPATCHFILE_SECRET_<NAME>_<KEY> or KEY, else asked for")  # fmt: skip
    add(
        "--secret-file",
        action="append",
        metavar="FILE",
        help="secrets, YAML or NAME/KEY=VALUE lines, for you alone",
    )


def _add_engine_options(parser: Parser) -> None:
    add = parser.add_argument_group("engine").add_argument
    add(
        "--engine",
        choices=("docker", "tekton"),
        help="where to run: a Docker engine (default), or Tekton on a cluster",
    )
    add("--pull", choices=("missing", "always", "never"), help="when to pull images (default: missing)")
    add("--offline", action="store_true", default=None, help="ask no registry and no remote at all")
    add(
        "--kaniko",
        choices=("engine", "container"),
        help="how kaniko steps build (default: the engine's own builder)",
    )
    add("--image", action="append", metavar="NAME=REF", help="run the image REF where a step says NAME")
    add("--platform", metavar="OS/ARCH", help="platform of the images, such as linux/amd64")
    add("--network", metavar="NAME", help="network of the engine that tasks join")
    add("--docker-host", metavar="URL", help="the engine (default: DOCKER_HOST, the docker context, podman)")
    add("--artifacts", metavar="DIR", help="where storage resources are kept")
    add("--keep", action="store_true", help="leave containers and volumes; `dispatchfile clean` removes them")


def _add_cluster_options(parser: Parser) -> None:
    add = parser.add_argument_group("cluster, with --engine tekton").add_argument
    add("--context", metavar="NAME", help="context of the kubeconfig (default: the current one)")
    add("--namespace", metavar="NAME", help="namespace of the run (default: the context's)")
    add("--service-account", metavar="NAME", help="service account of the run, with its credentials")
    add(
        "--workspace",
        choices=("emptydir", "pvc"),
        help="git inputs: each task clones (default), or all share a volume",
    )
    add("--volume-size", metavar="SIZE", help="size of the volume that tasks share (default: 1Gi)")
    add("--results", choices=("stdout-wrapper", "sh", "alpha"), help="as of `dispatchfile tekton`")
    add("--gitops-image", metavar="REF", help="the image that stands in for update-gitops-repo")
    add("--git-image", metavar="REF", help="the image with git that fetches the sources")
    add("--storage-image", metavar="REF", help="the image with gsutil for storage resources")


def _add_output_options(parser: Parser) -> None:
    add = parser.add_argument_group("output").add_argument
    add(
        "--progress",
        choices=("auto", "live", "plain", "json", "quiet"),
        help="how to show the run (default: auto)",
    )
    add("--timestamps", action="store_true", help="begin plain lines with the time of day")
    add("--log-dir", metavar="DIR", help="keep the logs in DIR/RUN/TASK/STEP.log")
    add("--junit", metavar="FILE", help="write a JUnit report: a suite a task, a case a step")
