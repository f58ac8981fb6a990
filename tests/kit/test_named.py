"""Experiments by name, in a folder of one's own and away from any."""

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest

from clir_ot.ablation.plan import Ablation
from clir_ot.errors import UserError
from clir_ot.kit.named import Shelf, find
from clir_ot.sweeps.sweep_file import SweepFile

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "shelf", "file"),
    [
        ("distill", Shelf.EXPERIMENT, "distill.yaml"),
        ("paper/optical", Shelf.EXPERIMENT, "paper/optical.yaml"),
        ("alignment", Shelf.ABLATION, "ablation/alignment.yaml"),
        ("alignment", Shelf.SWEEP, "sweeps/alignment.yaml"),
        ("hybrid-xquad-r", Shelf.PUBLISHED, "paper/published/hybrid-xquad-r.yaml"),
    ],
)
def test_a_name_means_the_repositorys_own_file(name: str, shelf: Shelf, file: str) -> None:
    written = (ROOT / "experiments" / file).read_text()
    assert find(name, shelf).read_text() == written
    assert files("clir_ot.kit").joinpath("experiments", file).read_text() == written


def test_every_file_of_the_repository_has_a_name_on_one_shelf_only() -> None:
    with pytest.raises(UserError) as caught:
        find("nothing", Shelf.EXPERIMENT)
    named = set(str(caught.value).partition("names ")[2].split(", "))
    there = {str(path.relative_to(ROOT / "experiments").with_suffix("")) for path in ROOT.glob("experiments/**/*.yaml")}
    others = ("ablation/", "sweeps/", "paper/published/")
    assert named == {name for name in there if not name.startswith(others)}


def test_ones_own_folder_comes_first_and_a_path_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "experiments"
    (own / "sweeps").mkdir(parents=True)
    for file in (own / "distill.yaml", own / "mine.yaml", own / "sweeps" / "mine.yaml"):
        file.write_text("mine: true\n")
    assert find("distill", Shelf.EXPERIMENT).resolve() == own / "distill.yaml"
    assert find("mine", Shelf.EXPERIMENT).resolve() == own / "mine.yaml"
    assert find("mine", Shelf.SWEEP).resolve() == own / "sweeps" / "mine.yaml"
    assert find("teacher", Shelf.EXPERIMENT).name == "teacher.yaml"
    (tmp_path / "distill").write_text("a file: true\n")
    assert find("distill", Shelf.EXPERIMENT) == Path("distill")
    monkeypatch.setenv("HOME", str(own))  # as in `--config=~/mine.yaml`, which no shell expands
    assert find("~/mine.yaml", Shelf.EXPERIMENT) == own / "mine.yaml"


def test_what_names_an_experiment_may_name_it_by_name(tmp_path: Path) -> None:
    sweep = SweepFile.read(find("distill", Shelf.SWEEP))
    assert sweep.experiment == find("distill", Shelf.EXPERIMENT)
    ablation = tmp_path / "mine.yaml"
    said = "table: languages\nseeds: [0]\nbaselines: [a]\nvariants: {a: {}}\nexperiment: "
    ablation.write_text(said + "paper/hybrid\n")
    assert Ablation.read(ablation).experiment == find("paper/hybrid", Shelf.EXPERIMENT)
    ablation.write_text(said + "nowhere.yaml\n")
    with pytest.raises(UserError, match=r"mine\.yaml: experiment: .*nowhere\.yaml: no such file, nor one of the names"):
        Ablation.read(ablation)


@pytest.mark.parametrize(
    ("command", "known"),
    [
        ("fit --config nowhere --run run", "paper/optical, paper/teacher"),
        ("fit --config=nowhere --run run", "paper/optical, paper/teacher"),
        ("fit -c nowhere --run run", "paper/optical, paper/teacher"),
        ("ablate nowhere --collection starter --run run", "alignment, alpha, bitext"),
        ("sweep nowhere --collection starter --run run", "alignment, distill, hybrid"),
        ("report run --collection starter --output page --published miracl nowhere", "lareqa-xquad-r, miracl"),
    ],
)
def test_an_unknown_name_is_one_line_that_lists_the_names(clir: Callable[..., str], command: str, known: str) -> None:
    said = clir(*command.split())
    assert said.startswith("FAILED: clir-ot: nowhere: no such file, nor one of the names ")
    assert known in said
    assert "\n" not in said


@pytest.mark.parametrize("named", [["--config", "paper/optical"], ["--config=paper/optical"]])
def test_fit_reads_the_experiment_of_the_name(
    clir: Callable[..., str], capsys: pytest.CaptureFixture[str], named: list[str]
) -> None:
    assert clir("fit", *named, "--run", "unused", "--print_config") == "FAILED: 0"
    assert "group: optical" in capsys.readouterr().out
