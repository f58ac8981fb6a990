"""Formulas, what they refuse, and what each term is in a batch."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.strategies import SingleDeviceStrategy

from clir_ot import CLIRDataModule, OTDistillation, TokenEncoder
from clir_ot.data.batches import BitextBatch
from clir_ot.errors import UserError
from clir_ot.models.losses import info_nce
from clir_ot.models.maxsim import maxsim
from clir_ot.models.transport import transport_loss
from clir_ot.systems.alignment import TERMS
from tests.training import quiet_trainer

ENGLISH = ["bara desil fitem", "govu kuzo", "bara desil fitem", "lamra mensil"]
FOREIGN = ["xarab xlised", "xuvog xozuk xarab", "xarab", "xarmal"]


@pytest.fixture(scope="module")
def teacher_folder(encoder_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("alignment") / "teacher"
    torch.manual_seed(1)
    TokenEncoder.from_pretrained(encoder_folder, dimensions=8, query_prefix="query: ").save_pretrained(folder)
    return folder


def bitext_batch(module: OTDistillation, english: list[str], foreign: list[str], languages: list[str]) -> BitextBatch:
    """As the DataModule makes it of these rows."""
    rows = sorted(zip(languages, english, foreign, strict=True), key=lambda row: row[0] == "en")
    names, x, y = (list(column) for column in zip(*rows, strict=True))
    repeated = torch.tensor([[a == b for b in x] for a in x])
    encode = module.tokenizer.queries
    ids = [f"yo:{x.index(text) + 1}" for text in x]
    return BitextBatch(encode(x), encode(y), names, repeated, ids)


def step(module: OTDistillation, monkeypatch: pytest.MonkeyPatch, languages: list[str]) -> dict[str, float]:
    """What one training step logs."""
    logged: dict[str, torch.Tensor] = {}
    monkeypatch.setattr(module, "log_step", lambda values, rows: logged.update(values))
    foreign = [x if name == "en" else y for x, y, name in zip(ENGLISH, FOREIGN, languages, strict=True)]
    module.training_step(bitext_batch(module, ENGLISH, foreign, languages), 0)
    return {name: float(value) for name, value in logged.items()}


@pytest.mark.parametrize(
    "formula", ["otx", "ot+ot", "ot+", "0*ot", "-1*ot", "ot contrastive", "", "none+ot", "1.2.3*ot"]
)
def test_a_formula_that_cannot_be_read_is_refused_in_one_line(teacher_folder: Path, formula: str) -> None:
    with pytest.raises(UserError, match=r"^model\.alignment is .*expected none, or a sum of terms.*$"):
        OTDistillation(str(teacher_folder), alignment=formula)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"alignment": "mse", "epsilon": 0.1}, "model.epsilon is 0.1, but no term of alignment mse reads it"),
        ({"alignment": "contrastive", "solver": "ipot"}, "model.solver is ipot, but no term"),
        ({"alignment": "contrastive", "marginals": "idf"}, "model.marginals is idf, but no term"),
        ({"alignment": "ot", "temperature": 0.1}, "model.temperature is 0.1, but no term"),
        ({"alignment": "nearest", "debiased": True}, "model.debiased is True, but no term"),
        ({"alignment": "none", "anchor_weight": 2.0}, "model.anchor_weight is 2.0, but no term"),
        ({"marginals": "uniform", "anchor_weight": 2.0}, "marginals uniform match no anchors"),
        ({"solver": "exact", "epsilon": 0.1}, "model: solver exact takes no epsilon"),
        ({"solver": "ipot", "unbalanced": 0.1}, "model: solver ipot takes no unbalanced"),
        ({"epsilon": 0.0}, "model: epsilon is 0.0; it must be above 0"),
        ({"iterations": 0}, "model: iterations is 0; it must be at least 1"),
        ({"english_weight": -1.0}, "model.english_weight is -1.0; it must be at least 0"),
        ({"english_weight": float("nan")}, "model.english_weight is nan"),
        ({"anchor_weight": -1.0}, "model.anchor_weight is -1.0; it must be at least 0"),
        ({"alignment": "scores", "temperature": 0.0}, "model.temperature is 0.0; it must be above 0"),
    ],
)
def test_an_option_that_nothing_reads_or_out_of_range_is_refused(
    teacher_folder: Path, options: dict, said: str
) -> None:
    with pytest.raises(UserError) as caught:
        OTDistillation(str(teacher_folder), **options)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("term", [*TERMS, "ot+0.5*mse", "ot+scores", "ot+0.1*contrastive"])
def test_every_alignment_brings_translations_together(
    teacher_folder: Path, collection_folder: Path, tmp_path: Path, term: str
) -> None:
    pl.seed_everything(0)
    module = OTDistillation(
        str(teacher_folder), alignment=term, learning_rate=5e-3, freeze_word_embeddings=False, interpolation=1.0
    )
    data = CLIRDataModule(collection_folder, "yo", bitext_rate=1.0, english_share=0.1, batch_size=12)
    queries = [list(data.collection.queries(language).values())[::3] for language in ("en", "yo")]

    def found() -> float:
        """How many held-out sentences find their own translation, by the teacher's MaxSim."""
        english, foreign = (module.tokenizer.queries(texts) for texts in queries)
        with torch.no_grad():
            scores = maxsim(module.encoder(foreign), module.teacher(english), foreign.mask, english.mask)
            if term == "uniform":  # it makes all tokens of a pair alike, so that is what it is held to
                x, y = module.teacher(english).sum(dim=1), module.encoder(foreign).sum(dim=1)
                return ((x * y).sum(dim=1) / english.mask.sum(dim=1) / foreign.mask.sum(dim=1)).mean().item()
        return (scores.argmax(dim=1) == torch.arange(len(scores))).float().mean().item()

    before = found()
    quiet_trainer(tmp_path, max_epochs=12).fit(module, data)
    assert found() > before + (0.2 if term != "uniform" else 0.05)


def test_without_alignment_only_english_rows_are_trained(teacher_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = OTDistillation(str(teacher_folder), alignment="none")
    logged = step(module, monkeypatch, ["yo", "en", "yo", "en"])
    assert logged == {"loss": pytest.approx(0, abs=1e-5), "english": pytest.approx(0, abs=1e-6)}


def test_the_formula_weighs_its_terms_and_rows(teacher_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = OTDistillation(
        str(teacher_folder), alignment="2*ot+0.5*mse", anchor_weight=0.25, english_weight=3.0, interpolation=1.0
    )
    with torch.no_grad():  # a student that is no longer its teacher
        module.encoder.projection.weight += 0.1 * torch.randn_like(module.encoder.projection.weight)
    logged = step(module, monkeypatch, ["yo", "en", "yo", "yo"])
    foreign = 2 * logged["ot"] + 0.5 * logged["mse"] + 2 * 0.25 * logged["anchors"]
    assert logged["loss"] == pytest.approx((3 * foreign + 3.0 * logged["english"]) / 4, rel=1e-5)
    assert logged["english"] > 1e-3


def test_contrast_is_with_the_other_english_sentences_of_the_batch(
    teacher_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = OTDistillation(str(teacher_folder), alignment="contrastive", temperature=0.1)
    logged = step(module, monkeypatch, ["yo", "en", "yo", "yo"])
    documents, queries = module.tokenizer.queries(ENGLISH), module.tokenizer.queries([FOREIGN[i] for i in (0, 2, 3)])
    scores = maxsim(module.encoder(queries), module.teacher(documents), queries.mask, documents.mask)
    # Columns: each row's own sentence first. Rows 0 and 2 share an English sentence: neither is the other's negative.
    order = [0, 2, 3, 1]
    relevant = torch.tensor([[ENGLISH[i] == ENGLISH[j] for j in order] for i in (0, 2, 3)])
    assert logged["contrastive"] == pytest.approx(float(info_nce(scores[:, order], relevant, 0.1)), rel=1e-4)


@pytest.mark.parametrize(("term", "temperature"), [("ot_contrastive", 0.1), ("contrastive", 0.05), ("scores", 0.05)])
def test_each_term_has_its_own_default_temperature(
    teacher_folder: Path, monkeypatch: pytest.MonkeyPatch, term: str, temperature: float
) -> None:
    def loss(**options: float) -> float:
        module = OTDistillation(str(teacher_folder), alignment=term, **options)
        with torch.no_grad():
            module.encoder.projection.weight += 0.1
        return step(module, monkeypatch, ["yo"] * 4)[term]

    assert loss() == loss(temperature=temperature)
    assert loss() != loss(temperature=2 * temperature)


def test_uniform_marginals_transport_special_and_prefix_tokens_too(
    teacher_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = OTDistillation(str(teacher_folder), marginals="uniform")
    logged = step(module, monkeypatch, ["yo"] * 4)
    english, foreign = module.tokenizer.queries(ENGLISH), module.tokenizer.queries(FOREIGN)
    with torch.no_grad():
        expected = transport_loss(module.teacher(english), module.encoder(foreign), english.mask, foreign.mask)
    assert logged["ot"] == pytest.approx(float(expected), rel=1e-5)
    assert "anchors" not in logged


def test_idf_marginals_weigh_rare_pieces_more(teacher_folder: Path, collection_folder: Path, tmp_path: Path) -> None:
    module = OTDistillation(str(teacher_folder), marginals="idf")
    data = CLIRDataModule(collection_folder, "yo", bitext_rate=1.0, batch_size=12)
    trainer = quiet_trainer(tmp_path, max_steps=1)
    trainer.fit(module, data)
    pairs = data.collection.bitext("yo")
    english, foreign = (module.tokenizer.queries([pair[side] for pair in pairs[:5]]) for side in (0, 1))
    plan = module.transport(english, foreign).plan.detach()
    pieces = module.tokenizer.tokenizer.convert_ids_to_tokens
    for row in range(5):
        rows = english.content[row]
        names = pieces(english.input_ids[row][rows].tolist())
        counted = [sum(name in pair[0].split() for pair in pairs) for name in names]
        weights = torch.tensor([torch.log(torch.tensor((1 + len(pairs)) / (1 + n))) + 1 for n in counted])
        assert torch.allclose(plan[row].sum(1)[rows], weights / weights.sum(), atol=1e-5)


@pytest.mark.parametrize("formula", ["ot", "mse", "contrastive"])
def test_vectors_that_are_not_finite_name_step_and_pair(
    teacher_folder: Path, monkeypatch: pytest.MonkeyPatch, formula: str
) -> None:
    module = OTDistillation(str(teacher_folder), alignment=formula)
    encode = module.encoder.forward

    def broken(tokens):
        student = encode(tokens).clone()
        student[0, 1] = torch.nan  # foreign rows come first
        return student

    monkeypatch.setattr(module.encoder, "forward", broken)
    trainer = SimpleNamespace(
        default_root_dir="/nowhere", global_step=3, world_size=1, strategy=SingleDeviceStrategy(torch.device("cpu"))
    )
    monkeypatch.setattr(module, "_trainer", trainer)
    with pytest.raises(
        UserError, match=r"^step 3: token vectors of pair yo:1 are not finite, .*there is no checkpoint"
    ):
        step(module, monkeypatch, ["en", "yo", "yo", "yo"])
