"""What an experiment leaves to the collection: the starter's settings for what is like the starter, and no other."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from clir_ot import CLIRDataModule, Collection
from clir_ot.collections import cache
from clir_ot.data.from_collection import AUTO, passages, training_languages
from clir_ot.errors import UserError

ROOT = Path(__file__).parents[2]
AFRIQA = ROOT.parent / "shared" / "data" / "afriqa-dev"
UNLOGGED = ["--trainer.logger", "false", "--trainer.callbacks", "null", "--trainer.max_steps", "1"]


@pytest.fixture
def questions(own_collection: Path) -> Path:
    """The queries are questions now: of the words of their documents, and no part of these."""
    for path in own_collection.glob("queries*.jsonl"):
        records = [json.loads(line) for line in path.read_text().splitlines()]
        for record in records:
            record["text"] = " ".join(reversed(record["text"].split()))
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return own_collection


def test_passages_are_cut_where_queries_are_part_of_their_documents(collection_folder: Path, questions: Path) -> None:
    found = passages(Collection(collection_folder), ["en", "yo"], 32)
    assert found.cloze_share == 0.9
    assert "72 of 72 training queries looked at are part of their document: training reads 32 words" in found.says
    found = passages(Collection(questions), ["en", "yo"], 32)
    assert found.cloze_share is None
    assert "0 of 72 training queries" in found.says
    assert "reads whole documents" in found.says


def test_a_document_in_another_language_holds_no_query(own_collection: Path) -> None:
    (own_collection / "corpus.yo.jsonl").unlink()
    assert passages(Collection(own_collection), ["yo"], 32).cloze_share is None
    assert passages(Collection(own_collection), ["en", "yo"], 32).cloze_share == 0.9


def test_the_module_alone_asks_the_collection_too(questions: Path, collection_folder: Path) -> None:
    assert CLIRDataModule(questions, AUTO, cloze_share=AUTO).cloze_share is None
    module = CLIRDataModule(collection_folder, AUTO, cloze_share=AUTO)
    assert (module.languages, module.cloze_share) == (["en", "sw", "yo"], 0.9)
    assert CLIRDataModule(questions, "en", cloze_share=0.5).cloze_share == 0.5
    with pytest.raises(UserError, match="there are no ranking batches"):
        CLIRDataModule(questions, "yo", cloze_share=AUTO, bitext_rate=1.0)


@pytest.mark.parametrize(
    ("of", "given", "share"), [("questions", [], None), ("questions", ["--data.cloze_share", "0.9"], 0.9),
    ("toy", [], 0.9), ("toy", ["--data.cloze_share", "null"], None)],
)  # fmt: skip
def test_the_teacher_reads_what_suits_the_collection_and_says_so(
    request: pytest.FixtureRequest, collection_folder: Path, encoder_folder: Path, tmp_path: Path,
    clir: Callable[..., str], of: str, given: list[str], share: float | None,
) -> None:  # fmt: skip
    collection = request.getfixturevalue("questions") if of == "questions" else collection_folder
    printed = clir(
        "fit", "--config", ROOT / "experiments" / "teacher.yaml", "--model.encoder", encoder_folder,
        "--model.dimensions", 8, "--data.collection", collection, "--run", tmp_path / "run", *UNLOGGED, *given,
    )  # fmt: skip
    assert "trained 1 steps" in printed
    said = [line for line in printed.splitlines() if "training queries looked at" in line]
    assert len(said) == (not given)
    # As it was trained: the starter's runs of before are still recognised, and others that change are not.
    data = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())["data"]
    assert (data.get("cloze_share"), data["passage_words"], data["languages"]) == (share, 32, "en")


def test_the_languages_are_those_that_can_be_trained(own_collection: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert training_languages(Collection(own_collection), AUTO) == ["en", "sw", "yo"]
    assert training_languages(Collection(own_collection), "yor, en") == ["yo", "en"]
    (own_collection / "queries.sw.jsonl").write_text('{"_id": "d2.0", "text": "of dev alone"}\n')
    (own_collection / "queries.ha.jsonl").write_text('{"_id": "q", "text": "judged, and not relevant"}\n')
    (own_collection / "qrels" / "train.ha.tsv").write_text("q\td0\t0\n")
    assert training_languages(Collection(own_collection), AUTO) == ["en", "yo"]
    (own_collection / "qrels" / "train.tsv").unlink()
    with pytest.raises(UserError, match="has no training queries"):
        training_languages(Collection(own_collection), AUTO)
    monkeypatch.setattr(cache, "starter_folder", lambda: own_collection.parent)
    monkeypatch.setattr("clir_ot.data.from_collection.starter_folder", lambda: own_collection.parent)
    own_collection.rename(own_collection.parent / "collection")
    study = "en,yo,sw,ha,mr,de,fr,es"
    assert ",".join(training_languages(Collection("starter"), AUTO)) == study


def test_experiments_name_no_setting_of_the_starter() -> None:
    for name in ("teacher", "hybrid"):
        data = yaml.safe_load((ROOT / "experiments" / f"{name}.yaml").read_text())["data"]
        assert data["cloze_share"] == AUTO
    assert data["languages"] == AUTO


def test_real_questions_are_read_with_whole_passages() -> None:
    if not AFRIQA.is_dir():
        pytest.skip("AfriQA's questions are not at ../shared/data/afriqa-dev")
    collection = Collection(AFRIQA)
    assert passages(collection, ["en"], 32).cloze_share is None
    assert training_languages(collection, AUTO) == ["en", "bem", "rw", "tw", "zu"]
