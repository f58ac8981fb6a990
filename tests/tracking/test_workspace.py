"""The dashboard's specification as it would be sent, and where it stops without a server."""

import json
from typing import Any

import pytest
from wandb.sdk.lib.service.service_connection import WandbApiFailedError

from clir_ot.errors import UserError
from clir_ot.tracking.workspace import make_workspace, save_workspace


def panels(workspace: Any) -> dict[str, list[dict[str, Any]]]:
    """`{section: its panels}` of the JSON that wandb-workspaces sends."""
    sent = json.loads(workspace._to_model().model_dump_json(by_alias=True, exclude_none=True))
    sections = sent["spec"]["section"]["panelBankConfig"]["sections"]
    return {section["name"]: section["panels"] for section in sections}


def test_the_panels_read_the_keys_that_are_logged() -> None:
    found = panels(make_workspace("lab", "clir-ot", ["yo", "en", "sw"]))
    test = [panel["config"] for panel in found["Test queries: MRR@10"]]
    assert [(c["chartTitle"], c["metrics"]) for c in test[:3]] == [
        ("Yoruba", ["summary_metrics.test/yo/MRR@10"]),
        ("Swahili", ["summary_metrics.test/sw/MRR@10"]),
        ("English", ["summary_metrics.test/en/MRR@10"]),
    ]
    gaps = [panel["config"]["metrics"] for panel in found["Gap closed"]]
    assert gaps == [["summary_metrics.test/yo/gap_closed"], ["summary_metrics.test/sw/gap_closed"]]
    alpha = found["Alpha"][0]
    assert alpha["viewType"] == "Scatter Plot"
    assert (alpha["config"]["xAxis"], alpha["config"]["yAxis"]) == ("config:data.value.alpha", "summary:test/yo/MRR@10")
    (curve, *_) = found["Dev queries, after every epoch: MRR@10"]
    assert (curve["config"]["xAxis"], curve["config"]["metrics"]) == ("trainer/global_step", ["dev/yo/MRR@10"])
    maps = [panel["config"]["mediaKeys"] for panel in found["Alignments"] if panel["viewType"] == "Media Browser"]
    assert maps == [[f"plans/{language}/{number}" for number in (1, 2, 3)] for language in ("yo", "sw")]
    assert found["Language bias"][0]["config"]["mediaKeys"] == ["bias/MAP", "bias/first"]


def test_a_teacher_alone_has_no_empty_section() -> None:
    found = panels(make_workspace("lab", "clir-ot", ["en"]))
    assert "Gap closed" not in found
    assert all(found.values())


@pytest.mark.parametrize(
    "error",
    [
        ConnectionError("Failed to establish a new connection"),
        # Of a server that refuses, which is no wandb.Error.
        WandbApiFailedError("Failed to establish that lab lets you in\nadvice"),
    ],
)
def test_a_server_out_of_reach_or_refusing_is_one_line(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    # As far as it goes without a server: the object is built and serialised, and the call fails.
    def refused(view: Any) -> None:
        assert view.entity == "lab"
        raise error

    monkeypatch.setattr("wandb_workspaces.workspaces.internal.upsert_view2", refused)
    with pytest.raises(UserError, match="lab/clir-ot: the dashboard cannot be saved: Failed to establish") as failed:
        save_workspace(make_workspace("lab", "clir-ot", ["yo"]))
    assert "\n" not in str(failed.value)
