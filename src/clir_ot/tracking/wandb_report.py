"""The dashboard as a report: a page at Weights & Biases that others can be shown, made with wandb-workspaces."""

from collections.abc import Sequence
from typing import Any

from clir_ot.tracking.dashboard_panels import panel_sections, workspaces_library
from clir_ot.tracking.weights_and_biases import asking

TITLE = "Retrieval into low-resource languages"
_WHOLE_WIDTH = {"w": 24, "h": 12}  # of W&B's grid
_TABLES = {
    "Systems": (
        "test/systems",
        "Every system in every language, with 95 % intervals, as `clir-ot evaluate` prints it.",
    ),
    "Tests": ("test/comparisons", "Paired t-tests over queries, with Holm's correction over each run's comparisons."),
}
_SAID = {
    "Test queries": "Mean over the test queries of a language; each run beside its teacher, asked zero-shot.",
    "Gap closed": "How much of the distance between zero-shot and English queries a run covers; 1 is all of it.",
    "Alpha": "Hybrid runs by their share of monolingual batches.",
    "Dev queries": "After every epoch of training.",
    "Alignments": "Which English token moves where, for a few dev sentences, epoch by epoch.",
    "Language bias": "Of hybrid runs: queries (rows) over documents of all languages (columns).",
    "Training": "Losses and speed, step by step.",
}


def make_report(entity: str, project: str, languages: Sequence[str], measure: str = "MRR@10") -> Any:
    """The tables of systems and tests, then the panels of `panel_sections`. Not saved yet.

    Args:
        entity, project: where it is to be saved.
        languages: canonical codes; English is added where figures of it are logged.
        measure: shown.

    Raises:
        UserError: wandb-workspaces is not installed.
    """
    wr = workspaces_library("reports.v2")

    def part(heading: str, said: str, panels: list[Any]) -> list[Any]:
        # A set of runs for each: a reader can hide runs in one part and see them in another.
        runs = wr.Runset(entity=entity, project=project, name="all runs")
        return [wr.H2(heading), wr.MarkdownBlock(said), wr.PanelGrid(runsets=[runs], panels=panels)]

    def table(key: str) -> list[Any]:
        return [wr.WeavePanelSummaryTable(table_name=key, layout=wr.Layout(**_WHOLE_WIDTH))]

    blocks = [
        wr.MarkdownBlock(
            "Does distillation by optimal transport, or hybrid-batch training, make retrieval robust for low-resource "
            "languages? Figures of all runs of this project; made by `clir-ot dashboard --create`."
        ),
        wr.TableOfContents(),
    ]
    for heading, (key, said) in _TABLES.items():
        blocks += part(heading, said, table(key))
    for heading, panels in panel_sections(languages, measure).items():
        blocks += part(heading, _SAID[heading.split(":")[0].split(",")[0]], panels)
    return wr.Report(
        entity=entity,
        project=project,
        title=TITLE,
        description="Made by clir-ot dashboard --create, which replaces it.",
        blocks=blocks,
        width="fluid",
    )


def save_report(report: Any, api: Any) -> str:
    """Save the report, in place of the one that was made before; returns its address.

    Args:
        report: from `make_report`.
        api: a `wandb.Api`.

    Raises:
        UserError: the server is out of reach or refuses.
    """
    place = f"{report.entity}/{report.project}"
    with asking(f"{place}: the report cannot be saved"):
        report.id = next((known.id for known in api.reports(place) if known.display_name == report.title), "")
        report.save()
        url: str = report.url
    return url
