"""The pages: what they say to type is run as it stands or, where it needs what a test does not have, looked up."""

import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from clir_ot import Collection
from clir_ot.cli import VERBS
from tests.conftest import make_collection
from tests.page_shell import PAGES, ROOT, TARGETS, blocks, commands, inline, links, problems

OF_AN_EXAMPLE = "needs the lines above"  # a change of the package, see test_contributing.py, which types it


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _script(page: Path) -> str:
    """All blocks of a page that are run."""
    return "".join(block.text for block in blocks(page.read_text()) if block.runs)


def _is_quick(page: Path) -> bool:
    """Whether nothing of it needs torch."""
    light = {"collection", "evaluate", "--bm25"}
    return all(words[0] != "make" and (words[0] != "clir-ot" or light & {*words}) for words in commands(_script(page)))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_what_is_to_be_typed_is_said_to_be_shell_and_could_be_typed(page: Path) -> None:
    text = page.read_text()
    wrong = []
    for block in blocks(text):
        if block.language != "sh":
            if block.is_typed or block.language in ("bash", "shell", "console", "zsh"):
                wrong.append(f"{block.line}: a block with commands, tagged {block.language or 'nothing'} instead of sh")
            continue
        done = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True)
        wrong += [f"{block.line}: {line}" for line in done.stderr.splitlines()]
        if block.title != OF_AN_EXAMPLE:
            typed = commands(block.text)
            wrong += [f"{block.line}: {' '.join(words)}: {said}" for words in typed for said in problems(words)]
    for code in inline(text):
        target, verb = re.match(r"make ([a-z-]+)", code), re.match(r"clir-ot ([a-z]+)", code)
        if target and target[1] not in TARGETS:
            wrong.append(f"`{code}`: make has no target {target[1]}")
        if verb and verb[1] not in {"fit", "collection", *(v.__name__ for v in VERBS)}:
            wrong.append(f"`{code}`: clir-ot has no verb {verb[1]}")
    assert wrong == []


@pytest.mark.parametrize("page", [page for page in PAGES if (ROOT / "docs") not in page.parents], ids=_name)
def test_links_lead_somewhere(page: Path) -> None:  # those of docs/ are the site's, whose building looks at them
    assert [target for target in links(page.read_text()) if not (page.parent / target).exists()] == []


def checkout(folder: Path, encoder: Path, collection: Path) -> dict[str, str]:
    """What `make` needs, with the tiny encoder and the toy collection as the starter; the environment to run it in."""
    for name in ("Makefile", "environment.mk", "setup.cfg", "constraints.txt"):
        shutil.copy2(ROOT / name, folder / name)
    shutil.copytree(ROOT / "experiments", folder / "experiments")
    (folder / ".venv").mkdir()
    (folder / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    (folder / ".venv" / ".installed").touch()  # newer than setup.cfg: nothing is installed
    starter = folder / "cache" / "starter"
    starter.mkdir(parents=True)
    (starter / "encoder").symlink_to(encoder)
    (starter / "collection").symlink_to(collection)
    # What the make that runs the tests was told (ARGS=...) is not for the one in here.
    ours = {name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name != "ARGS"}
    ours["PATH"] = f"{Path(sys.executable).parent}:{ours['PATH']}"
    return {**ours, "CLIR_OT_CACHE": str(folder / "cache"), "WANDB_MODE": "offline"}


def _toy_collection(folder: Path, name: str, language: str) -> None:
    """`collection NAME LANGUAGE`: the toy collection with its Yoruba called another language."""
    for path in [*make_collection(folder / name).rglob("*yo.*")]:
        path.rename(path.with_name(re.sub(r"\byo\.", f"{language}.", path.name)))


def _toy_sentences(folder: Path, name: str, language: str) -> None:
    """`sentences NAME LANGUAGE`: NAME.en and NAME.LANGUAGE, 320 lines that translate each other."""
    chance = random.Random(3)
    pairs = Collection(folder / "cache" / "starter" / "collection").bitext("yo")
    words = dict(zip(*(" ".join(side).split() for side in zip(*pairs, strict=True)), strict=True))
    sentences = [chance.sample(sorted(words), 5) for _ in range(320)]
    (folder / f"{name}.en").write_text("".join(" ".join(sentence) + "\n" for sentence in sentences))
    (folder / f"{name}.{language}").write_text(
        "".join(" ".join(map(words.get, sentence)) + "\n" for sentence in sentences)
    )


GIVEN: dict[str, Callable[[Path, str, str], None]] = {"collection": _toy_collection, "sentences": _toy_sentences}


def _brought_language(folder: Path, said: str) -> None:
    """What examples/bring-your-language.md leaves, beside an exit status of 0."""
    assert "zero-shot" in said
    assert re.search(r"distilled +\| Igbo", said)
    ranked = (folder / "ig.trec").read_text().splitlines()
    assert {line.split()[0] for line in ranked} == {f"s{n}" for n in range(1, 201)}
    assert len((folder / "mine" / "bitext" / "ig.tsv").read_text().splitlines()) == 120


LEFT: dict[str, Callable[[Path, str], None]] = {"examples/bring-your-language.md": _brought_language}


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, id=_name(page), marks=[] if _is_quick(page) else pytest.mark.slow)
        for page in PAGES
        if _script(page)
    ],
)
def test_a_page_runs_as_it_stands(page: Path, encoder_folder: Path, collection_folder: Path, tmp_path: Path) -> None:
    environment = checkout(tmp_path, encoder_folder, collection_folder)
    for what, arguments in re.findall(r"<!-- given: (\w+) (.*?) -->", page.read_text()):
        GIVEN[what](tmp_path, *arguments.split())
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", _script(page)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    LEFT.get(_name(page), lambda folder, said: None)(tmp_path, done.stdout)


def test_what_could_not_be_typed_is_found() -> None:
    for line, said in {
        "make distil LANG=yo": "make has no target distil",
        "make distill LNG=yo": "make has no use for LNG=yo",
        "make distill": "say it on the command line",
        'make distill LANG=yo ARGS="--model.alignmen mse"': "Option 'alignmen' is not accepted",
        "for l in yo ha; do make report LANG=$l ARGS=--lowresource; done": "unrecognized arguments: --lowresource",
        "torchrun --nproc_per_node 4 -- clir-ot index --encoder DIR": "required: --collection, --output",
        "clir-ot fit --config experiments/none.yaml --run DIR": "there is no experiments/none.yaml",
        "clir-ot collection build wikipedia DIR | tee log": "nothing of that name can be built",
        "python benchmarks/transport.py --speed": "benchmarks/transport.py has no --speed",
        "pip install -e '.[gpu]'": "there is no extra gpu",
    }.items():
        assert said in "\n".join(found for words in commands(line) for found in problems(words)), line
    for line in (
        "make teacher ARGS=\"--model.query_prefix '' --data.languages en\"",
        "clir-ot dashboard runs --create --project clir-ot",
        "srun --nodes 2 clir-ot fit --config experiments/hybrid.yaml --run DIR --trainer.devices 4 &",
    ):
        assert [found for words in commands(line) for found in problems(words)] == [], line
    page = 'Text:\n\n=== "A tab"\n\n    ```\n    clir-ot search\n    ```\n\n```sh title="needs a GPU"\nmake\n```\n'
    first, second = blocks(page)
    assert (first.language, first.is_typed, first.line) == ("", True, 5)
    assert (second.runs, second.line) == (False, 9)
