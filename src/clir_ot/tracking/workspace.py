"""The dashboard as code: a saved view of a Weights & Biases project, made with wandb-workspaces."""

from collections.abc import Sequence
from typing import Any

from clir_ot.collections.collection import ENGLISH
from clir_ot.tracking.dashboard_panels import STEP, panel_sections, workspaces_library
from clir_ot.tracking.weights_and_biases import asking

NAME = "clir-ot"


def make_workspace(entity: str, project: str, languages: Sequence[str], measure: str = "MRR@10") -> Any:
    """A view: see `panel_sections`. Not saved yet.

    Args:
        entity, project: where it is to be saved.
        languages: canonical codes; English is added where figures of it are logged.
        measure: shown.

    Raises:
        UserError: wandb-workspaces is not installed.
    """
    ws = workspaces_library("workspaces")
    shown = [*(language for language in languages if language != ENGLISH), ENGLISH]
    sections = panel_sections(languages, measure)
    return ws.Workspace(
        entity=entity,
        project=project,
        name=NAME,
        sections=[ws.Section(name=name, panels=panels, is_open=True) for name, panels in sections.items()],
        settings=ws.WorkspaceSettings(x_axis=STEP),
        runset_settings=ws.RunsetSettings(
            groupby=[ws.Metric("Group"), ws.Metric("JobType")],
            pinned_columns=[f"summary:test/{name}/{measure}" for name in shown],
        ),
    )


def save_workspace(workspace: Any) -> str:
    """Save the view; returns its address.

    Raises:
        UserError: the server is out of reach or refuses.
    """
    with asking(f"{workspace.entity}/{workspace.project}: the dashboard cannot be saved"):
        workspace.save()
        url: str = workspace.url
    return url
