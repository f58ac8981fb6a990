"""The card of an encoder: what Hugging Face reads of it, figures that come with evaluation, licences as stated."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import torch
import yaml
from huggingface_hub import ModelCard

import clir_ot
from clir_ot import Collection, TokenEncoder
from clir_ot.evaluate import evaluate_run_folder
from clir_ot.evaluation.judging import Judging
from clir_ot.models.encoder_folder import fingerprint
from clir_ot.publishing.licences import hub_licence, stated_licence
from clir_ot.publishing.model_card import model_card, update_card
from clir_ot.runs.facts import provenance
from clir_ot.runs.folder import RunFolder

TRAINER = {"max_epochs": 2, "max_steps": -1, "precision": "32-true"}


def make_run(
    folder: Path, model: dict[str, object], collection: Path, languages: str, scoring: str = "late"
) -> RunFolder:
    """What training leaves, without training."""
    run = RunFolder(folder)
    folder.mkdir(parents=True)
    config = {
        "seed_everything": 3,
        "model": {"class_path": "clir_ot.Some", "init_args": {**model, "learning_rate": 4e-4}},
        "data": {"collection": str(collection), "languages": languages, "batch_size": 16},
        "trainer": TRAINER,
    }
    run.config.write_text(yaml.safe_dump(config))
    facts = {
        "collection_fingerprint": Collection(collection).fingerprint(),
        "encoder_fingerprint": fingerprint(str(model.get("teacher") or model["encoder"])),
        "steps": 180,
        "seconds": 203.7,
        "devices": 2,
        **provenance({}),
    }
    run.facts.write_text(json.dumps(facts))
    torch.manual_seed(1)
    base = model.get("encoder") or model["teacher"]
    encoder = TokenEncoder.from_pretrained(str(base), dimensions=8, query_prefix="query: ", scoring=scoring)
    encoder.save_pretrained(run.encoder, card=lambda written: model_card(run, written))
    return run


@pytest.fixture
def collection(own_collection: Path) -> Path:
    (own_collection / "README.md").write_text(
        "# Toy texts\n\n- Source: made up.\n- Licence: CC BY-SA 4.0, as it says.\n"
    )
    return own_collection


@pytest.fixture
def base(encoder_folder: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "tiny"
    folder.mkdir()
    for path in encoder_folder.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n# Tiny encoder\n")
    return folder


@pytest.fixture
def teacher(base: Path, collection: Path, tmp_path: Path) -> RunFolder:
    return make_run(tmp_path / "runs" / "teacher", {"encoder": str(base)}, collection, "en")


@pytest.fixture
def student(teacher: RunFolder, collection: Path, tmp_path: Path) -> RunFolder:
    model = {"teacher": str(teacher.encoder), "alignment": "5*ot"}
    return make_run(tmp_path / "runs" / "distill-yo", model, collection, "yo")


def test_a_student_says_what_it_is(student: RunFolder, teacher: RunFolder, collection: Path, tmp_path: Path) -> None:
    card = ModelCard.load(student.encoder / "README.md")
    assert card.data.language == ["en", "yo"]
    assert card.data.library_name == "sentence-transformers"
    assert card.data.license == "other"  # Apache and CC BY-SA
    assert card.data.license_name == "see-this-card"
    assert card.data.eval_results is None
    assert card.data.base_model is None  # a folder is no name on the hub
    facts = student.read_facts()
    commit = subprocess.run(
        ["git", "-C", Path(clir_ot.__file__).parent, "rev-parse", "HEAD"], capture_output=True, text=True
    ).stdout.strip()
    for said in (
        "English (en), Yoruba (yo)",
        "optimal-transport distillation (`model.alignment` 5*ot)",
        'tiny (Tiny encoder); "license: apache-2.0"',
        f"teacher, fingerprint `{fingerprint(teacher.encoder)}`",
        f"collection toy (Toy texts), fingerprint `{facts['collection_fingerprint']}`",
        '"Licence: CC BY-SA 4.0, as it says"',
        "8 dimensions for each token",
        "180 steps, 204 s on 2 devices",
        "64 tokens of a query, 256 of a document",
        "`query: ` (query), `` (document)",
        "This encoder is for **queries**",
        "None yet: `clir-ot evaluate` adds them.",
        clir_ot.__version__,
        *([f"commit `{commit}`"] if commit else []),
        "TokenEncoder.from_pretrained",
        "MultiVectorEncoder(",
        "models.ColBERT(",
    ):
        assert said in card.text, said
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in card.text.splitlines()]
    for row in (["`model.learning_rate`", "0.0004"], ["`seed.everything`", "3"], ["`trainer.max_epochs`", "2"]):
        assert row in cells
    # It is to be published: nothing of where things lie here.
    assert str(tmp_path) not in card.content


def test_evaluation_puts_the_figures_in_and_leaves_the_identity(student: RunFolder, collection: Path) -> None:
    before = fingerprint(student.encoder)
    evaluate_run_folder(student.path, Collection(collection), "test")
    card = ModelCard.load(student.encoder / "README.md")
    measured = json.loads(student.metrics.read_text())
    assert card.data.model_name == "distill-yo"
    found = {
        (result.dataset_config, result.metric_type): result.metric_value for result in card.data.eval_results or []
    }
    own = [system for system in measured["systems"] if system["system"] == "distilled"]
    expected = {
        (system["language"], name.lower()): pytest.approx(values["mean"], abs=1e-4)
        for system in own
        for name, values in system["measures"].items()
    }
    assert len(expected) == 10
    assert found == expected
    assert {result.dataset_split for result in card.data.eval_results or []} == {"test"}
    for system in measured["systems"]:
        values = system["measures"]["MRR@10"]
        low, high = values["interval_95"]
        assert f"| {values['mean']:.3f} [{low:.3f}, {high:.3f}]" in card.text
    assert re.search(r"distilled against zero-shot, Yoruba queries: MRR@10 .*, n = 18, p", card.text)
    assert all("n = 18" in result.metric_name for result in card.data.eval_results or [])
    assert "measured in English and Yoruba" in card.text
    assert "None yet" not in card.text
    assert fingerprint(student.encoder) == before

    assert measured["judging"] == {"relevance_level": 1, "ignore_identical_ids": False, "trec_eval": 9}
    assert "Judged" not in card.text

    # Another split and another judging, and the card is of them.
    level = Judging(relevance_level=2)
    evaluate_run_folder(student.path, Collection(collection), "dev", measures=["nDCG@5", "R@100"], judging=level)
    card = ModelCard.load(student.encoder / "README.md")
    assert {result.metric_type for result in card.data.eval_results or []} == {"ndcg@5", "r@100"}
    assert "Dev queries" in card.text
    assert "Judged: relevant is grade 2 and above (for nDCG every positive grade)." in card.text
    measured = json.loads(student.metrics.read_text())
    assert measured["judging"]["relevance_level"] == 2
    assert {system["measures"]["R@100"]["mean"] for system in measured["systems"]} == {0.0}
    assert all("grade 2 and above" in result.metric_name for result in card.data.eval_results or [])


def test_figures_on_another_collection_stay_out(student: RunFolder, collection: Path, tmp_path: Path) -> None:
    other = shutil.copytree(collection, tmp_path / "other")
    with (other / "corpus.jsonl").open("a") as file:
        file.write('{"_id": "more", "text": "bara"}\n')
    before = (student.encoder / "README.md").read_bytes()
    evaluate_run_folder(student.path, Collection(other), "test")
    assert not student.metrics.exists()
    assert (student.encoder / "README.md").read_bytes() == before


def test_a_card_that_cannot_be_made_leaves_the_old_one(student: RunFolder) -> None:
    before = (student.encoder / "README.md").read_bytes()
    student.metrics.write_text('{"split": "test"}')
    with pytest.raises(KeyError):
        update_card(student)
    assert (student.encoder / "README.md").read_bytes() == before
    assert list(student.encoder.glob(".README*")) == []


def test_a_dense_ranker_of_several_languages(base: Path, collection: Path, tmp_path: Path) -> None:
    run = make_run(tmp_path / "hybrid", {"encoder": str(base)}, collection, "en,yo,sw", scoring="dense")
    text = (run.encoder / "README.md").read_text()
    assert "One encoder for queries and documents in English, Yoruba and Swahili" in text
    assert "SentenceTransformer(" in text
    assert "one unit vector of 8 dimensions" in text
    for absent in ("MultiVectorEncoder(", "ColBERT", "TEACHER", "Not for documents"):
        assert absent not in text


def test_a_teacher_on_a_hub_encoder_names_it(teacher: RunFolder) -> None:
    config = teacher.read_config()
    config["model"]["init_args"]["encoder"] = "google-bert/bert-base-multilingual-cased"
    teacher.config.write_text(yaml.safe_dump(config))
    update_card(teacher)
    card = ModelCard.load(teacher.encoder / "README.md")
    assert card.data.base_model == "google-bert/bert-base-multilingual-cased"
    assert card.data.license == "other"  # of one of the two nothing is known


def test_the_collection_is_gone(teacher: RunFolder, collection: Path) -> None:
    collection.rename(collection.with_name("moved"))
    update_card(teacher)
    assert "not stated in the collection's README.md" in (teacher.encoder / "README.md").read_text()


@pytest.mark.parametrize(
    ("readme", "stated", "hub"),
    [
        ("# A\n- Licence: CC BY-SA 4.0, as it says.\n", "Licence: CC BY-SA 4.0, as it says", "cc-by-sa-4.0"),
        ("text (Learning Equality; MIT licence), each with its messages. More.\n", "MIT licence", "mit"),
        ("---\nlicense: apache-2.0\n---\n", "license: apache-2.0", "apache-2.0"),
        ("Licence: CC BY-NC 4.0.", "Licence: CC BY-NC 4.0", "cc-by-nc-4.0"),
        ("The licence is the publisher's own. Ask.", "The licence is the publisher's own", "other"),
        ("Nothing of the kind.", None, "unknown"),
    ],
)  # fmt: skip
def test_a_licence_is_quoted_and_named(readme: str, stated: str | None, hub: str) -> None:
    assert stated_licence(readme) == stated
    assert hub_licence([stated]) == hub


@pytest.mark.parametrize(
    ("stated", "name"),
    [(["MIT licence", "license: mit"], "mit"), (["MIT licence", "CC0"], "other"), (["MIT licence", None], "other")],
)
def test_weights_have_a_licence_where_all_agree(stated: list[str | None], name: str) -> None:
    assert hub_licence(stated) == name
