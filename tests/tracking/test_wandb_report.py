"""The report's specification as it would be sent; the server is one that this test makes up."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from clir_ot.errors import UserError
from clir_ot.tracking.dashboard_panels import panel_sections
from clir_ot.tracking.wandb_report import TITLE, make_report, save_report


def parts(report: Any) -> dict[str, list[dict[str, Any]]]:
    """`{heading: panels under it}` of the JSON that wandb-workspaces sends."""
    blocks = json.loads(report._to_model().spec.model_dump_json(by_alias=True, exclude_none=True))["blocks"]
    found: dict[str, list[dict[str, Any]]] = {}
    heading = ""
    for block in blocks:
        if block["type"] == "heading":
            heading = block["children"][0]["text"]
        if block["type"] == "panel-grid":
            (runs,) = block["metadata"]["runSets"]
            assert (runs["project"]["entityName"], runs["project"]["name"]) == ("lab", "clir-ot")
            found[heading] = block["metadata"]["panelBankSectionConfig"]["panels"]
    return found


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was sent to be saved; a stand-in for W&B's server, which answers with an id."""
    calls: list[dict[str, Any]] = []

    def answer(api: Any, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        if "upsertView" not in query:  # of every set of runs: which project is it?
            return {"project": {"internalId": "project-1"}}
        calls.append(variables)
        return {"upsertView": {"view": {"id": variables["id"] or "new", "spec": variables["spec"]}}}

    api = SimpleNamespace(projects=lambda entity: [SimpleNamespace(name="clir-ot")])
    monkeypatch.setattr("wandb_workspaces.reports.v2.interface._get_api", lambda: api)
    monkeypatch.setattr("wandb_workspaces.reports.v2.interface.execute_graphql", answer)
    monkeypatch.setattr("wandb_workspaces.reports.v2.interface.get_app_url", lambda api: "https://wandb.ai")
    return calls


def test_it_shows_the_tables_and_every_panel_of_the_dashboard(sent: list[dict[str, Any]]) -> None:
    found = parts(make_report("lab", "clir-ot", ["yo", "sw"], "nDCG@10"))
    dashboard = panel_sections(["yo", "sw"], "nDCG@10")
    assert list(found) == ["Systems", "Tests", *dashboard]
    for heading, panels in dashboard.items():
        assert [panel["viewType"] for panel in found[heading]] == [panel._to_model().view_type for panel in panels]
    for heading, key in (("Systems", "test/systems"), ("Tests", "test/comparisons")):
        (table,) = found[heading]
        assert f'"{key}"' in json.dumps(table)
        assert table["layout"]["w"] == 24
    maps = [panel["config"]["mediaKeys"] for panel in found["Alignments"] if panel["viewType"] == "Media Browser"]
    assert maps[0] == ["plans/yo/1", "plans/yo/2", "plans/yo/3"]
    bars = found["Test queries: nDCG@10"][0]["config"]
    assert (bars["chartTitle"], bars["metrics"]) == ("Yoruba", ["summary_metrics.test/yo/nDCG@10"])
    # Nothing lies on top of something else.
    for panels in found.values():
        places = [(panel["layout"]["x"], panel["layout"]["y"]) for panel in panels]
        assert len(places) == len(set(places))


def test_of_a_teacher_alone_nothing_is_empty(sent: list[dict[str, Any]]) -> None:
    found = parts(make_report("lab", "clir-ot", ["en"]))
    assert "Gap closed" not in found
    assert all(found.values())


def test_saved_again_it_takes_the_place_of_the_one_before(sent: list[dict[str, Any]]) -> None:
    known = [SimpleNamespace(id="other", display_name="Another report")]
    api = SimpleNamespace(reports=lambda path: known if path == "lab/clir-ot" else [])
    url = save_report(make_report("lab", "clir-ot", ["yo"]), api)
    assert url == f"https://wandb.ai/lab/clir-ot/reports/{TITLE.replace(' ', '-')}--new"
    known.append(SimpleNamespace(id="new", display_name=TITLE))
    assert save_report(make_report("lab", "clir-ot", ["yo"]), api) == url
    assert [call["id"] for call in sent] == [None, "new"]
    assert {call["displayName"] for call in sent} == {TITLE}


def test_a_server_that_refuses_is_one_line() -> None:
    def refused(path: str) -> list[Any]:
        raise ValueError("Project clir-ot does not exist under entity lab\nadvice")

    with pytest.raises(UserError, match="lab/clir-ot: the report cannot be saved: Project clir-ot does not") as failed:
        save_report(make_report("lab", "clir-ot", ["yo"]), SimpleNamespace(reports=refused))
    assert "\n" not in str(failed.value)
