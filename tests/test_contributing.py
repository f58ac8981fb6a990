"""CONTRIBUTING.md's examples, put into a copy of the package as they stand there, and used."""

import configparser
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
import pytrec_eval
import torch

from clir_ot import TokenEncoder
from tests.page_shell import blocks, commands, problems

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
FORMULA = "5*cosine"
EXAMPLES = {part.splitlines()[0]: [*blocks(part)] for part in PAGE.split("\n## ")}


@pytest.fixture
def package(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the package with an example's blocks in it, which is what `import clir_ot` then means."""
    added = [(block.title, block.text) for block in EXAMPLES[request.param] if block.language == "python"]
    assert 0 < sum(len(text.splitlines()) for _, text in added) < 30
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for path, text in added:
        there = (tmp_path / path).read_text() + "\n\n" if (tmp_path / path).exists() else ""
        (tmp_path / path).write_text(there + text)
        # As `make lint` would have it, but for the imports' order, which is by the folder.
        command = ["ruff", "check", "--config", ROOT / "pyproject.toml", "--ignore", "I001", tmp_path / path]
        subprocess.run([sys.executable, "-m", *command], check=True)
    for name in [name for name in sys.modules if name.partition(".")[0] == "clir_ot"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path / "src")
    assert import_module("clir_ot").__file__ == str(tmp_path / "src" / "clir_ot" / "__init__.py")
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == "clir_ot"]:
        del sys.modules[name]


def clir(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    """A command of the package as it is now."""
    monkeypatch.setattr(sys, "argv", ["clir-ot", *map(str, arguments)])
    import_module("clir_ot.cli").main()


def typed(example: str) -> list[list[str]]:
    """The commands of an example."""
    return [words for block in EXAMPLES[example] if block.language == "sh" for words in commands(block.text)]


@pytest.mark.parametrize("package", ["An alignment term"], indirect=True)
def test_the_new_term_trains_a_student(
    package: Path, encoder_folder: Path, collection_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    teacher = package / "teacher"
    torch.manual_seed(0)
    TokenEncoder.from_pretrained(encoder_folder, dimensions=8, query_prefix="query: ").save_pretrained(teacher)
    options = ["--data.collection", collection_folder, "--data.languages", "yo", "--data.english_share", 0.0]
    options += ["--trainer.logger", "false", "--trainer.callbacks", "null", "--trainer.max_epochs", 4]
    options += ["--trainer.accelerator", "cpu", "--model.interpolation", 1.0, "--model.learning_rate", 0.005]
    options += ["--model.freeze_word_embeddings", "false", "--model.alignment", FORMULA]
    experiment, run = ROOT / "experiments" / "distill.yaml", package / "run"
    clir(monkeypatch, "fit", "--config", experiment, "--model.teacher", teacher, "--run", run, *options)

    pairs = [line.split("\t") for line in (collection_folder / "bitext" / "yo.tsv").read_text().splitlines()]

    def near(student: Path) -> float:
        """Mean cosine of translations' summed vectors."""
        sums = []
        for side, folder in enumerate((teacher, student)):
            encoder = TokenEncoder.from_pretrained(folder).eval()
            tokens = encoder.tokenizer.queries([pair[side] for pair in pairs])
            with torch.no_grad():
                sums.append((encoder(tokens) * tokens.mask[..., None]).sum(dim=1))
        return float(torch.cosine_similarity(*sums).mean())

    assert 1 - near(run / "encoder") < (1 - near(teacher)) / 2


@pytest.mark.parametrize("package", ["A source"], indirect=True)
def test_the_new_source_builds_a_collection_that_check_accepts(
    package: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (package / "proverbs.tsv").write_text("Time flies.\tOge na-efe.\nHaste makes waste.\tNgwa ngwa na-emebi.\n")
    monkeypatch.chdir(package)
    build, check = typed("A source")
    clir(monkeypatch, *build[1:])
    assert "\nnext: clir-ot " in capsys.readouterr().out
    clir(monkeypatch, *check[1:])
    assert capsys.readouterr().out == "proverbs: no problem found\n"
    folder = package / "proverbs"
    assert (folder / "qrels" / "test.tsv").read_text().splitlines()[1:] == ["p0\tp0\t1", "p1\tp1\t1"]
    with pytest.raises(SystemExit) as none:
        clir(monkeypatch, "collection", "build", "proverbs:ig", package / "again")
    assert none.value.code == "clir-ot: proverbs: give its file with --from FILE"


@pytest.mark.parametrize("package", ["A measure"], indirect=True)
def test_the_new_measure_appears_in_a_table(
    package: Path, collection_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [line.split("\t") for line in (collection_folder / "qrels" / "test.tsv").read_text().splitlines()[1:]]
    documents = sorted({document for _, document, _ in rows})
    run = {
        query: {d: 1.0 / (1 + (n * 7 + r) % 11) for r, d in enumerate(documents)} for n, (query, *_) in enumerate(rows)
    }
    lines = [f"{query} Q0 {d} 1 {score} x" for query, scores in run.items() for d, score in scores.items()]
    (package / "bm25.en.trec").write_text("\n".join(lines) + "\n")
    (package / "starter").mkdir()
    (package / "starter" / "collection").symlink_to(collection_folder)
    monkeypatch.setenv("CLIR_OT_CACHE", str(package))
    monkeypatch.chdir(package)
    ((_, *words),) = typed("A measure")
    clir(monkeypatch, *words)
    header, _, row, *_ = capsys.readouterr().out.splitlines()
    assert header.split("|")[-2].strip() == "Success@5"
    qrels: dict[str, dict[str, int]] = {}
    for query, document, grade in rows:
        qrels.setdefault(query, {})[document] = int(grade)
    theirs = [v["success_5"] for v in pytrec_eval.RelevanceEvaluator(qrels, {"success_5"}).evaluate(run).values()]
    assert 0 < sum(theirs) < len(theirs)
    assert float(row.split("|")[-2]) == pytest.approx(sum(theirs) / len(theirs), abs=5e-4)


def test_what_it_says_to_type_of_the_new_term_could_be_typed() -> None:
    (words,) = typed("An alignment term")
    assert [*problems(words)] == []
    assert words[-1] == f"ARGS=--model.alignment {FORMULA}"


def test_the_floors_are_those_that_are_held() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    held = re.findall(r"\w+", setup["importlinter:contract:floors"]["layers"])
    (drawn,) = re.findall(r"```text\n(.*?)```", PAGE, re.S)
    assert re.findall(r"\w+", "\n".join(re.split(r" {3,}", line)[0] for line in drawn.splitlines())) == held
