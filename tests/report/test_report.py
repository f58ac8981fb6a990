"""The whole report, from runs trained on the toy collection to the page."""

import json
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from clir_ot import Collection
from clir_ot.collections.trec import read_run
from clir_ot.evaluation.metrics import evaluate_run, mean
from clir_ot.runs.rankings import Queries

ROOT = Path(__file__).parent.parent.parent
SMALL = [
    "--data.batch_size", 12, "--trainer.max_epochs", 1, "--trainer.accelerator", "cpu", "--trainer.logger", "false",
    "--trainer.callbacks", "null",
]  # fmt: skip


@pytest.fixture(scope="module")
def world(
    encoder_folder: Path,
    collection_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
    run_clir: Callable[..., None],
) -> Path:
    """A teacher, two seeds of a Yoruba student, one with half the bitext, two hybrids."""
    runs = tmp_path_factory.mktemp("report") / "runs"

    def fit(experiment: str, run: str, *options: object) -> None:
        config = ROOT / "experiments" / f"{experiment}.yaml"
        places = ["--config", config, "--run", runs / run, "--data.collection", collection_folder]
        run_clir("fit", *places, *SMALL, *options)

    new = ["--model.encoder", encoder_folder, "--model.dimensions", 8]
    fit("teacher", "teacher", *new)
    student = ["--model.teacher", runs / "teacher" / "encoder", "--data.languages", "yo", "--model.interpolation", 1]
    for seed in (0, 1):
        fit("distill", f"yo-{seed}", *student, "--seed_everything", seed)
    fit("distill", "few", *student, "--data.bitext_pairs", 18)
    for alpha in (0.5, 0.0):
        fit("hybrid", f"hybrid-{alpha}", *new, "--data.languages", "en,yo,sw", "--data.alpha", alpha)
    return runs


@pytest.fixture
def report(world: Path, collection_folder: Path, tmp_path: Path, clir: Callable[..., str]) -> Callable[..., str]:
    def write(*paths: Path, options: tuple[str, ...] = ()) -> str:
        command = ["report", *(paths or [world]), "--collection", collection_folder, "--output", tmp_path / "report"]
        return clir(*command, *options)

    return write


class Page(HTMLParser):
    """What the page holds, and that its tags are closed in the order they are opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.counts: dict[str, int] = {}
        self.fetched: list[str] = []
        self.ids: list[str] = []
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1
        for name, value in attributes:
            if name in ("src", "href", "xlink:href") and value and not value.startswith(("#", "data:")):
                self.fetched.append(value)
            if name == "id" and value:
                self.ids.append(value)
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        if tag not in ("meta", "br"):
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def tables(markdown: str) -> dict[str, list[list[str]]]:
    """`{heading: rows of its first table}`."""
    found: dict[str, list[list[str]]] = {}
    for part in markdown.split("\n## ")[1:]:
        lines = [line for line in part.splitlines() if line.startswith("|") and not set(line) <= set("|-")]
        found[part.splitlines()[0]] = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    return found


def test_the_page_stands_alone_and_its_figures_are_those_of_the_rankings(
    world: Path, collection_folder: Path, report: Callable[..., str], tmp_path: Path, clir: Callable[..., str]
) -> None:
    for name in ("hybrid-0.5", "hybrid-0.0"):
        clir("evaluate", world / name, "--collection", collection_folder)
    printed_elsewhere = tmp_path / "printed.yaml"
    printed_elsewhere.write_text(
        "source: a paper\ncollection: other texts\ndiffers: everything\nlanguages: [en, yo, sw]\ntables:\n"
        "  - {measure: MRR@10, systems: {theirs: {yo: 0.123}}}\n"
        "  - {measure: MAP, documents: pool, systems: {theirs: {yo: 0.456}}}\n"
    )
    printed = report(options=("--low-resource", "yo", "--published", str(printed_elsewhere)))
    assert "report.html" in printed
    page = Page((tmp_path / "report" / "report.html").read_text())
    assert page.fetched == []
    assert page.counts["svg"] >= 6
    assert len(page.ids) == len(set(page.ids))
    assert "script" not in page.counts

    markdown = (tmp_path / "report" / "report.md").read_text()
    shown = tables(markdown)
    effectiveness = {row[0]: row for row in shown["Effectiveness"]}
    assert effectiveness["system"][:3] == ["system", "Yoruba, n = 18", "Swahili, n = 18"]
    assert effectiveness["system"][3:] == ["mean of yo, n = 18", "English, n = 18"]
    assert shown["Gap closed"][0] == ["system", "Yoruba, n = 18", "Swahili, n = 18"]
    assert shown["Alpha"][0][1:] == ["Yoruba, n = 18", "Swahili, n = 18"]
    assert markdown.count("Ours: measured on toy, 18 queries a language;") == 2
    assert effectiveness.keys() >= {"BM25", "zero-shot"}
    # Two seeds: the mean of what each ranking is worth, worked out here again.
    collection = Collection(collection_folder)
    _, qrels = collection.judged("test", "yo")
    values = [
        mean(
            evaluate_run(read_run(world / f"yo-{seed}" / "trec" / "distilled.yo.test.trec"), qrels, ["MRR@10"])[
                "MRR@10"
            ]
        )
        for seed in (0, 1)
    ]
    name = "contrast over transport costs"
    assert float(effectiveness[name][1].split()[0]) == pytest.approx(sum(values) / 2, abs=5e-4)
    assert effectiveness[name][1].endswith(f"({min(values):.3f} to {max(values):.3f})")
    assert effectiveness[name][2] == ""  # there is no Swahili student
    kept = json.loads((tmp_path / "report" / "figures.json").read_text())
    assert kept["primary"]["distilled"] == name
    assert kept["systems"][name]["yo"]["mean"] == pytest.approx(sum(values) / 2)
    assert kept["systems"][name]["yo"]["seeds"] == 2
    assert kept["systems"][name].keys() == {"yo", "en"}
    assert kept["systems"].keys() == effectiveness.keys() - {"system"}

    # Points of a curve are not systems of their own.
    assert [row[0] for row in shown["Size of the bitext"]] == ["Bitext pairs", "18", "36"]
    assert [row[0] for row in shown["Alpha"]] == ["Share of monolingual batches, alpha", "0", "0.5"]
    assert not any("bitext_pairs" in name for name in effectiveness)
    # What is in print stands by itself, beside ours and in no test.
    beside = shown["Published figures"]
    assert ["published", "theirs", "0.123"] in [row[:3] for row in beside]
    assert ["ours", name, effectiveness[name][1].split()[0]] in [row[:3] for row in beside]
    pools = json.loads((world / "hybrid-0.5" / "languages.json").read_text())["pool MAP"]
    assert any(row[0] == "ours" and row[2] == f"{pools['yo']:.3f}" for row in beside)
    assert "theirs" not in markdown[: markdown.index("## Published figures")]
    # Every comparison of the answer's count is a row of the table.
    assert f"over the {len(shown['Tests']) - 1} comparisons made" in markdown
    assert shown["Tests"][1][:5] == [name, "zero-shot", "Yoruba", "18", "2 / 1"]
    assert len(shown["Tests"][1]) == len(shown["Tests"][0])
    # Nobody trained the published method here, and its name is on nothing.
    assert "optimal-transport" not in markdown[: markdown.index("## How this was made")]
    assert "says nothing of that method" in markdown
    facts = json.loads((world / "yo-0" / "run.json").read_text())
    cost = next(row for row in shown["Training cost"] if row[0] == name)
    assert cost[:3] == [name, "2", str(facts["steps"])]
    assert float(cost[3].split()[0]) == pytest.approx(facts["tokens"] / 1e6, abs=5e-3)
    noise = [row for row in shown["Robustness"] if row[1:3] == ["Yoruba", "18"]]
    assert {row[0] for row in noise} >= {name, "zero-shot", "BM25"}
    assert re.search(r"hybrid\w*.*: MAP of queries", (tmp_path / "report" / "report.html").read_text())

    # Rankings are searched once, and may be judged otherwise: no document is of grade 2.
    ranking = world / "yo-0" / "trec" / f"distilled.{Queries('yo', 'test', 'diacritics')}.trec"
    before = ranking.stat().st_mtime_ns
    report(options=("--relevance-level", "2", "--measures", "R@10"))
    assert ranking.stat().st_mtime_ns == before
    markdown = (tmp_path / "report" / "report.md").read_text()
    assert {row[1].split()[0] for row in tables(markdown)["Effectiveness"][1:] if row[1]} == {"0.000"}
    assert "In all tables but those of language bias, relevant is grade 2 and above" in markdown
    assert "Yoruba: 18 of 18 judged queries" in markdown
    assert (
        "--measures R@10 --relevance-level 2" in json.loads((tmp_path / "report" / "figures.json").read_text())["about"]
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"encoder_fingerprint": "another"}, "are students of different teachers; report them apart"),
        ({"collection_fingerprint": "another"}, "were trained on different collections; report them apart"),
    ],
)
def test_runs_that_do_not_belong_together_are_refused(
    world: Path, tmp_path: Path, report: Callable[..., str], change: dict, said: str
) -> None:
    for name in ("yo-0", "yo-1"):
        shutil.copytree(world / name, tmp_path / "runs" / name)
    path = tmp_path / "runs" / "yo-1" / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    printed = report(tmp_path / "runs")
    assert printed.startswith("FAILED: clir-ot: ")
    assert said in printed
    assert "\n" not in printed


def test_a_student_of_an_encoder_that_is_gone_is_refused(
    world: Path, tmp_path: Path, report: Callable[..., str]
) -> None:
    shutil.copytree(world / "yo-0", tmp_path / "runs" / "yo-0")
    path = tmp_path / "runs" / "yo-0" / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"encoder_fingerprint": "another"}))
    assert "holds another encoder now" in report(tmp_path / "runs")


def test_bad_input_is_one_line(world: Path, tmp_path: Path, report: Callable[..., str]) -> None:
    assert "no such folder" in report(tmp_path / "nowhere")
    assert "no run there is trained" in report(tmp_path)
    assert "nothing to compare" in report(world / "teacher")
    (tmp_path / "printed.yaml").write_text("source: a paper\ncollection: [\n")
    assert f"{tmp_path / 'printed.yaml'}:3: cannot be read as YAML" in report(
        options=("--published", str(tmp_path / "printed.yaml"))
    )
    assert "no run in the report was trained in 'ha'" in report(options=("--low-resource", "ha"))
    shutil.copytree(world / "yo-0", tmp_path / "runs" / "yo-0")
    shutil.rmtree(tmp_path / "runs" / "yo-0" / "encoder")
    shutil.rmtree(tmp_path / "runs" / "yo-0" / "trec", ignore_errors=True)
    assert "its encoder was dropped, and there is no ranking of yo.test" in report(tmp_path / "runs")


def test_a_repeated_run_is_left_out_and_named_and_rankings_are_searched_once(
    world: Path, tmp_path: Path, report: Callable[..., str]
) -> None:
    assert "FAILED" not in report(world / "yo-0")
    path = world / "yo-0" / "trec" / f"distilled.{Queries('yo', 'test', 'diacritics')}.trec"
    before = path.stat().st_mtime_ns
    shutil.copytree(world / "yo-0", tmp_path / "again")
    assert "FAILED" not in report(world / "yo-0", tmp_path / "again")
    assert path.stat().st_mtime_ns == before
    assert (
        f"{tmp_path / 'again'} repeats {world / 'yo-0'} and is left out"
        in (tmp_path / "report" / "report.md").read_text()
    )
