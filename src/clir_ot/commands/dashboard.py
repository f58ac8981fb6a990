"""`clir-ot dashboard RUNS...`: its options, and the function that runs it."""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clir_ot.errors import UserError

if TYPE_CHECKING:
    from clir_ot.tracking.logged_runs import LoggedRun


def add_dashboard(commands: Any, verbs: Mapping[str, Callable[[argparse.Namespace], None]]) -> None:
    """Add the verb `dashboard` to the parser of `clir-ot`'s verbs."""
    action = commands.add_parser("dashboard", help="look at what runs have logged: at W&B, or offline in the terminal")
    action.add_argument("runs", type=Path, nargs="+", metavar="RUNS", help="run folders, or folders they lie in")
    action.add_argument("--local", action="store_true", help="in the terminal, even where W&B has the runs")
    action.add_argument(
        "--create",
        action="store_true",
        help="save the suite's dashboard and report in the W&B project, link students to their teacher's encoder",
    )
    action.add_argument("--entity", help="user or team at W&B, of --create; default: the runs'")
    action.add_argument("--project", help="of --create; default: the runs'")
    action.add_argument("--measure", default="MRR@10", help="that --create shows; default: MRR@10")
    action.set_defaults(verb=verbs["dashboard"])


def dashboard(arguments: argparse.Namespace) -> None:
    """`dashboard RUNS...`: the project's page, or the offline runs in the terminal."""
    from clir_ot.tracking.logged_runs import logged_runs
    from clir_ot.tracking.weights_and_biases import sync_command

    if not arguments.create and (given := arguments.entity or arguments.project):
        raise UserError(f"dashboard: {given}: --entity and --project are of --create")
    runs = logged_runs(arguments.runs)
    if arguments.create:
        _create(runs, arguments.entity, arguments.project, arguments.measure)
        return
    urls = [] if arguments.local else list(dict.fromkeys(url for run in runs if (url := run.project_url)))
    for url in urls:
        print(f"Weights & Biases: {url}")
        if sys.stdout.isatty():
            import webbrowser

            webbrowser.open(url)
    commands = [command for run in runs if (command := sync_command(run.folder.path))]
    if commands:
        print("\n".join(["not uploaded yet; upload with:", *commands]))
    if not urls:
        _show(runs)


def _show(runs: "list[LoggedRun]") -> None:
    """wandb's own viewer of local runs; where there is no terminal, its summary of each run's newest part."""
    import subprocess

    from clir_ot.tracking.logged_runs import one_folder

    wandb = [sys.executable, "-m", "wandb", "leet"]
    if sys.stdin.isatty() and sys.stdout.isatty():
        with one_folder(runs) as folder:
            subprocess.run([*wandb, "run", str(folder)], check=False)
        return
    for run in runs:
        for part in run.parts:
            print(f"\n{run.folder.path}: {part.name}", flush=True)
            subprocess.run([*wandb, "inspect", "--summary", str(part)], check=False)


def _create(runs: "list[LoggedRun]", entity: str | None, project: str | None, measure: str) -> None:
    from clir_ot.tracking.artifacts import link_teachers
    from clir_ot.tracking.wandb_report import make_report, save_report
    from clir_ot.tracking.weights_and_biases import asking
    from clir_ot.tracking.workspace import make_workspace, save_workspace

    entity, project = (
        given or next((run.known[key] for run in runs if run.known.get(key)), None)
        for key, given in (("entity", entity), ("project", project))
    )
    if entity is None or project is None:
        raise UserError("dashboard --create: say where: --entity USER_OR_TEAM --project NAME; no run was online")
    languages = list(dict.fromkeys(language for run in runs for language in run.languages))
    print(f"dashboard: {save_workspace(make_workspace(entity, project, languages, measure))}")
    import wandb

    place = f"{entity}/{project}"
    with asking(f"{place}: cannot be read"):
        api = wandb.Api()
    print(f"report: {save_report(make_report(entity, project, languages, measure), api)}")
    with asking(f"{place}: its students cannot be linked to their teacher's encoder"):
        print(f"students linked to their teacher's encoder: {link_teachers(api, place)}")


VERBS = (dashboard,)
