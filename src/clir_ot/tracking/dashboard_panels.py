"""The panels of the dashboard, for its saved view (`workspace`) and its report (`wandb_report`), of wandb-workspaces.

They read the keys that training (`dev/`, `train/`, `plans/`, `speed/`, `drawn/`) and evaluation (`test/`, `bias/`, see
`log_evaluation.Evaluation.summary`) log.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import language_name
from clir_ot.errors import UserError

STEP = "trainer/global_step"


def workspaces_library(part: str) -> Any:
    """A module of wandb-workspaces: `reports.v2` or `workspaces`.

    Raises:
        UserError: it is not installed.
    """
    try:
        # Not `import`: what their __init__ exports, type checkers do not see.
        return import_module(f"wandb_workspaces.{part}")
    except ImportError:
        raise UserError("the dashboard needs wandb-workspaces; install it: pip install 'clir-ot[dashboard]'") from None


def panel_sections(languages: Sequence[str], measure: str) -> dict[str, list[Any]]:
    """`{heading: panels}`: test figures and gap by language, alpha, dev curves, alignments, training; none is empty.

    Args:
        languages: canonical codes; English is added where figures of it are logged.
        measure: shown.

    Raises:
        UserError: wandb-workspaces is not installed.
    """
    wr = workspaces_library("reports.v2")
    foreign = [language for language in languages if language != ENGLISH]
    shown = [*foreign, ENGLISH]

    def lines(title: str, *keys: str) -> Any:
        return wr.LinePlot(title=title, x=STEP, y=[*keys])

    def bars(title: str, *keys: str) -> Any:
        return wr.BarPlot(title=title, metrics=[wr.SummaryMetric(key) for key in keys], max_runs_to_show=50)

    alpha = wr.Config("data.alpha")
    sections: dict[str, list[Any]] = {
        f"Test queries: {measure}": [
            *(bars(language_name(name), f"test/{name}/{measure}") for name in shown),
            *(bars(f"{language_name(name)}: zero-shot and distilled", *_beside(name, measure)) for name in foreign),
        ],
        "Gap closed": [
            bars(f"{language_name(name)}: share of the gap to English", f"test/{name}/gap_closed") for name in foreign
        ],
        "Alpha": [
            *(
                wr.ScatterPlot(title=language_name(name), x=alpha, y=wr.SummaryMetric(f"test/{name}/{measure}"))
                for name in shown
            ),
            wr.ScatterPlot(title="rank distance", x=alpha, y=wr.SummaryMetric("languages/rank distance")),
        ],
        f"Dev queries, after every epoch: {measure}": [
            lines(language_name(name), f"dev/{name}/{measure}") for name in shown
        ],
        "Alignments": [
            *(
                wr.MediaBrowser(
                    title=f"{language_name(name)}: which token moves where",
                    media_keys=[f"plans/{name}/{number}" for number in (1, 2, 3)],
                )
                for name in foreign
            ),
            lines("plan entropy", *(f"plans/{name}/entropy" for name in foreign)),
            lines("marginal residual", *(f"plans/{name}/residual" for name in foreign)),
        ],
        "Language bias": [
            wr.MediaBrowser(title="by query and document language", media_keys=["bias/MAP", "bias/first"])
        ],
        "Training": [
            lines("loss", "train/loss"),
            lines("learning rate", "train/learning_rate"),
            lines("gradient norm", "train/gradient_norm"),
            lines("tokens a second", "speed/tokens_per_second"),
            lines("pairs a second", "speed/pairs_per_second"),
            lines("share of padding", "speed/padding_share"),
            lines("drawn batches", *(f"drawn/{kind}" for kind in ("monolingual", "cross-lingual", "bitext"))),
        ],
    }
    return {name: panels for name, panels in sections.items() if panels}


def _beside(language: str, measure: str) -> list[str]:
    return [f"test/{language}/zero-shot/{measure}", f"test/{language}/{measure}"]
