"""`clir-ot align` as a user types it."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from clir_ot import TokenEncoder

Command = Callable[..., str]
ENGLISH, FOREIGN = "bara desil fitem", "xarab xlised xmetif"


@pytest.fixture(scope="module")
def encoder(encoder_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("align") / "encoder"
    TokenEncoder.from_pretrained(encoder_folder, dimensions=16, query_prefix="query: ").save_pretrained(folder)
    return folder


@pytest.fixture
def align(encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clir: Command) -> Command:
    """Run it in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object, teacher: Path = encoder, student: Path = encoder, language: str = "yo") -> str:
        return clir("align", "--teacher", teacher, "--student", student, "--language", language, *arguments)

    return run


def shares(printed: str) -> list[float]:
    return [float(share) for share in re.findall(r"^ *([\d.]+)%", printed, flags=re.MULTILINE)]


@pytest.mark.parametrize("solver", ["sinkhorn", "geomloss", "ipot", "exact"])
def test_it_prints_pairs_that_share_all_mass_and_writes_a_picture(align: Command, tmp_path: Path, solver: str) -> None:
    printed = align(ENGLISH, FOREIGN, "--solver", solver, language="yor")
    assert printed.splitlines()[0].split() == ["share", "cosine", "English", "Yoruba"]
    assert sum(shares(printed)) == pytest.approx(100, abs=0.5)
    pairs = shares(printed.split("in ")[0])
    assert pairs == sorted(pairs, reverse=True)
    for fact in ("transport cost", "plan entropy", "marginal residual", "MaxSim"):
        assert re.search(rf"^{fact} +-?\d\.\d{{4}}", printed, flags=re.MULTILINE)
    assert printed.endswith("heat map: align-yo.png\n")
    assert (tmp_path / "align-yo.png").read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["align-yo.png"]


def test_special_and_prefix_tokens_appear_with_uniform_marginals_only(align: Command) -> None:
    assert "[CLS]" not in align(ENGLISH, FOREIGN)
    printed = align(ENGLISH, FOREIGN, "--marginals", "uniform")
    assert "[CLS]" in printed
    assert "query" in printed


def test_a_sentence_beside_itself_moves_nowhere(align: Command) -> None:
    printed = align(ENGLISH, ENGLISH, "--solver", "exact", language="en")
    rows = [line.split() for line in printed.splitlines()[1:4]]
    assert sorted(row[2:] for row in rows) == [["bara"] * 2, ["desil"] * 2, ["fitem"] * 2]
    assert [float(row[1]) for row in rows] == pytest.approx([1.0] * 3)


def test_more_entropy_for_a_greater_epsilon(align: Command) -> None:
    def entropy(epsilon: float) -> float:
        printed = align(ENGLISH, FOREIGN, "--epsilon", epsilon)
        return float(re.search(r"plan entropy +([\d.]+)", printed)[1])  # type: ignore[index]

    assert entropy(0.001) < entropy(0.1) < entropy(10) == pytest.approx(1, abs=1e-3)


def test_a_long_sentence_is_said_to_be_cut(align: Command) -> None:
    assert "note: cut at 64 of 84 tokens: bara bara" in align("bara " * 80, FOREIGN)


def test_the_picture_is_replaced_and_any_folder_is_made(align: Command, tmp_path: Path) -> None:
    target = tmp_path / "new" / "plan.svg"
    align(ENGLISH, FOREIGN, "--output", target)
    assert f"heat map: {target}" in align("bara", "xarab", "--output", target)
    assert b"<svg" in target.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "options", "expected"),
    [
        ((ENGLISH, FOREIGN), {"teacher": Path("nowhere")}, "nowhere: no such folder"),
        ((ENGLISH, FOREIGN), {"student": Path(".")}, ".: no encoder there (no config.json)"),
        ((ENGLISH, FOREIGN), {"language": "nonsense!"}, "'nonsense!' is not a language code"),
        ((ENGLISH, " "), {}, "' ' is an empty sentence"),
        (("", FOREIGN), {}, "'' is an empty sentence"),
        ((ENGLISH, FOREIGN, "--solver", "magic"), {}, "solver 'magic' is unknown; known: sinkhorn, "),
        ((ENGLISH, FOREIGN, "--solver", "exact", "--epsilon", "1"), {}, "solver exact takes no epsilon"),
        ((ENGLISH, FOREIGN, "--epsilon", "-1"), {}, "epsilon is -1.0; it must be above 0"),
        ((ENGLISH, FOREIGN, "--output", "picture"), {}, "picture: not a picture's name"),
        ((ENGLISH, FOREIGN, "--output", "/dev/null/plan.png"), {}, "/dev/null/plan.png: cannot be written"),
        ((ENGLISH, FOREIGN, "--output", "folder.png"), {}, "folder.png: cannot be written"),
    ],
)
def test_bad_input_is_one_line(
    align: Command, tmp_path: Path, arguments: tuple[str, ...], options: dict[str, Path | str], expected: str
) -> None:
    (tmp_path / "folder.png").mkdir()
    printed = align(*arguments, **options)
    assert printed.startswith("FAILED: clir-ot: ")
    assert expected in printed
    assert "\n" not in printed
    assert [path.name for path in tmp_path.iterdir()] == ["folder.png"]


def test_the_run_folder_in_place_of_its_encoder_is_named(align: Command, encoder: Path) -> None:
    assert align(ENGLISH, FOREIGN, teacher=encoder.parent).endswith(f"did you mean {encoder}?")


def test_vectors_of_different_sizes_are_refused(align: Command, encoder_folder: Path, tmp_path: Path) -> None:
    TokenEncoder.from_pretrained(encoder_folder, dimensions=8).save_pretrained(tmp_path / "narrow")
    printed = align(ENGLISH, FOREIGN, student=tmp_path / "narrow")
    assert "the teacher's token vectors have 16 dimensions, the student's 8" in printed


def test_an_encoder_with_one_vector_a_text_has_no_tokens_to_align(
    align: Command, encoder_folder: Path, tmp_path: Path
) -> None:
    TokenEncoder.from_pretrained(encoder_folder, dimensions=16, scoring="dense").save_pretrained(tmp_path / "dense")
    assert "has one vector a text (scoring dense)" in align(ENGLISH, FOREIGN, student=tmp_path / "dense")
