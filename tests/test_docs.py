"""The site's sources: nothing leads nowhere, nothing public is undocumented, and what is shown as Python runs."""

import re
import subprocess
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path

import griffe
import pytest
import yaml

import configuration
import docstrings
import public_names
import reference
import repository

ROOT = Path(__file__).parent.parent

Pages = Mapping[str, str]
_FENCED = re.compile(r"^ *(```+|~~~+)[\s\S]*?^ *\1 *$", re.MULTILINE)


@pytest.fixture(scope="module")
def written() -> Pages:
    """The pages in docs/, by their paths in the repository."""
    return {str(path.relative_to(ROOT)): path.read_text() for path in (ROOT / "docs").glob("*.md")}


@pytest.fixture(scope="module")
def pages(written: Pages) -> Pages:
    """All pages of the site, those that are made too."""
    made = {f"docs/{place}": text for place, text in reference.pages().items()}
    outside = repository.outside({**written, **made})
    return {**written, **made, **{path: text for path, text in outside.items() if isinstance(text, str)}}


def anchors(text: str) -> set[str]:
    """Of the headings, as Python-Markdown's toc spells them."""
    titles = re.findall(r"^#+ (.*)$", _FENCED.sub("", text), re.MULTILINE)
    plain = [unicodedata.normalize("NFKD", t).encode("ascii", "ignore").decode().lower() for t in titles]
    return {re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", title).strip()) for title in plain}


def faults(pages: Pages) -> Iterator[str]:
    """Every link that leads nowhere: to a file, to a heading, to a name of the reference, to a test."""
    names = {*public_names.shown(), *(name for names in public_names.PUBLIC.values() for name in names)}
    for source, text in pages.items():
        for target, anchor in repository.linked(source, text):
            if target not in pages:
                yield f"{source}: {target} is no page"
            elif anchor and anchor[1:] not in anchors(pages[target]):
                yield f"{source}: {target} has no heading {anchor}"
        bare = re.sub(r"`[^`\n]*`", "", _FENCED.sub("", text))
        for name in re.findall(r"\]\[(clir_ot[\w.]*)\]", bare):
            if name not in names:
                yield f"{source}: the reference does not show {name}"
        for test, path in re.findall(r"\[`(test_\w+)`\]\(\.\./(tests/[\w/]+\.py)\)", text):
            if f"def {test}(" not in (ROOT / path).read_text():
                yield f"{source}: {path} has no {test}"


def test_what_a_page_leads_to_is_there(pages: Pages) -> None:
    assert not [*faults(pages)]
    assert len([*repository.linked("docs/papers.md", pages["docs/papers.md"])]) > 40


def test_what_is_not_there_is_found(pages: Pages) -> None:
    text = (
        "# A\n[x](nowhere.md) [x](scale.md#time) [x](scale.md#space) [x](../setup.cfgs) [x](https://example.org/y)\n"
        "`[x](y)` [`maxsim`][clir_ot.models.maxsim.minsim] [`test_it`](../tests/test_docs.py)\n```sh\n[x](y)\n```\n"
    )
    found = [line.removeprefix("docs/a.md: ") for line in faults({**pages, "docs/a.md": text})]
    assert found == [
        "docs/nowhere.md is no page",
        "docs/scale.md has no heading #space",
        "setup.cfgs is no page",
        "tests/test_docs.py is no page",
        "the reference does not show clir_ot.models.maxsim.minsim",
        "tests/test_docs.py has no test_it",
    ]


def test_the_navigation_has_every_page(written: Pages, pages: Pages) -> None:
    def places(entry: object) -> Iterator[str]:
        if isinstance(entry, str):
            yield entry
        for inner in entry.values() if isinstance(entry, dict) else entry if isinstance(entry, list) else ():
            yield from places(inner)

    listed = [*places(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"])]
    assert len(listed) == len(set(listed))
    assert {*listed} <= {repository.place(path) for path in pages}
    assert {repository.place(path) for path in (*written, *(f"docs/{page}" for page in reference.pages()))} <= {*listed}


def test_links_to_files_of_the_repository_lead_to_their_pages() -> None:
    text = "[a](../setup.cfg) [b](scale.md#time) [`c`](../RESULTS.md#tests) `[d](../setup.cfg)` [e](../nothing)"
    there = repository.rewritten("docs/x.md", text)
    assert there == (
        "[a](repository/setup.cfg.md) [b](scale.md#time) [`c`](repository/RESULTS.md#tests) `[d](../setup.cfg)` "
        "[e](../nothing)"
    )
    back = repository.rewritten("benchmarks/README.md", "[scale](../docs/scale.md) [r](results/collections.md)")
    assert back == "[scale](../../scale.md) [r](results/collections.md)"


def test_every_public_name_is_documented() -> None:
    assert not public_names.undocumented()


def test_what_lacks_documentation_is_named(tmp_path: Path) -> None:
    (tmp_path / "shown.py").write_text(
        'def bare(a):\n    return a\n\n\ndef wrong(a, b):\n    """Do.\n\n    Args:\n        c: is none.\n    """\n\n\n'
        'def right(a: int, b: int):\n    """Do it with a.\n\n    Args:\n        a, b: both.\n    """\n\n\n'
        'def refers(a):\n    """As `bare`; arguments as in `bare`."""\n'
    )
    extensions = griffe.Extensions(docstrings.Docstrings())
    module = griffe.load("shown", search_paths=[str(tmp_path)], extensions=extensions, docstring_parser="google")
    said = {name: public_names.lacks(module[name], parameters=True) for name in ("bare", "wrong", "right", "refers")}
    assert said["bare"] == ["shown.bare: has no docstring"]
    assert any("Parameter 'c' does not appear" in line for line in said["wrong"])
    assert said["wrong"][-1] == "shown.wrong: does not document b"
    assert not said["right"] + said["refers"]


def test_formulas_in_docstrings_are_no_markup() -> None:
    assert docstrings.escaped("<P, C> of P*, 2 * 3, `a<b*`") == "&lt;P, C> of P&#42;, 2 * 3, `a<b*`"


def test_the_configuration_is_that_of_code_and_experiments(pages: Pages) -> None:
    page = pages["docs/reference/configuration.md"]
    value, comment = configuration.said("distill")["model.marginals"]
    assert value == "null"
    assert "function words" in comment  # goes on in the file's next lines
    (row,) = re.findall(r"^\| `model.epsilon` \|.*$", page, re.MULTILINE)
    assert "float or null; default `null`" in row
    assert "in units of the cost" in row  # from where the docstring refers to
    assert "*distill.yaml*: `null`, 0.005" in row
    for experiment in ("teacher", "distill", "hybrid"):
        said = yaml.safe_load((ROOT / "experiments" / f"{experiment}.yaml").read_text())
        keys = [f"model.{key}" for key in said["model"]["init_args"]] + [f"data.{key}" for key in said["data"]]
        assert not [key for key in keys + [f"trainer.{key}" for key in said["trainer"]] if f"| `{key}` |" not in page]


def test_every_command_is_in_the_reference(pages: Pages) -> None:
    page = pages["docs/reference/commands.md"]
    targets = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert "distill" in targets
    assert not [target for target in targets if f"| `make {target}` |" not in page]
    assert "### clir-ot collection bitext" in page
    assert re.search(r"^\| `--max-length-ratio R` \| .+ \|$", page, re.MULTILINE)


def test_what_is_shown_as_python_runs(written: Pages) -> None:
    blocks = [block for text in written.values() for block in re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)]
    assert len(blocks) >= 3
    for block in blocks:
        exec(compile(block, "docs", "exec"), {})


@pytest.mark.parametrize(
    ("page", "source"), [("alignment", "experiments/ablation/results.md"), ("results", "RESULTS.md")]
)
def test_figures_that_a_page_repeats_are_those_of_their_source(written: Pages, page: str, source: str) -> None:
    figures = re.findall(r"[-+]?\d\.\d{3,}", written[f"docs/{page}.md"])
    known = (ROOT / source).read_text()
    assert figures
    assert not [figure for figure in figures if figure not in known]


def build(config: Path, site: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(config), "-d", str(site)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_site_is_built_whole_and_fetches_nothing(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="the extra docs is not installed")
    done = build(ROOT / "mkdocs.yml", tmp_path)
    assert done.returncode == 0, done.stderr
    html = {path: path.read_text() for path in tmp_path.rglob("*.html")}
    fetched = r"<(?:script|img|iframe|source)[^>]*\ssrc=\"?(?:https?:)?//|<link[^>]*\shref=\"?(?:https?:)?//"
    assert not [path for path, text in html.items() if re.search(fetched, text)]
    assert not [path for path in tmp_path.rglob("*.css") if re.search(r"url\([\"']?(?:https?:)?//", path.read_text())]
    papers = html[tmp_path / "papers.html"]
    assert papers.count("<math") > 30
    assert "arithmatex" not in papers
    assert 'href="reference/python.html#clir_ot.models.maxsim.maxsim"' in papers
    assert 'id="clir_ot.OTDistillation"' in html[tmp_path / "reference" / "python.html"]
    assert "&lt;stopgrad(P" in html[tmp_path / "reference" / "python.html"]


@pytest.mark.slow
def test_what_leads_nowhere_fails_the_build(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="the extra docs is not installed")
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "index.md").write_text("# A\n\n[x](nowhere.md) [x](#space) [`x`][clir_ot.nothing] [x](../setup.cfgs)\n")
    config = tmp_path / "mkdocs.yml"
    own = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
    handler = own["plugins"][2]["mkdocstrings"]["handlers"]["python"]
    handler["paths"] = [str(ROOT / "src")]
    handler["options"]["extensions"] = [str(ROOT / "docs" / "hooks" / "docstrings.py")]
    own |= {"nav": ["index.md"], "docs_dir": str(docs), "hooks": [str(ROOT / "docs" / "hooks" / "site.py")]}
    own |= {"exclude_docs": "", "not_in_nav": "reference/", "extra": {"polyfills": ["iframe-worker"]}}
    config.write_text(yaml.safe_dump(own))
    done = build(config, tmp_path / "site")
    assert done.returncode == 1
    for missing in ("nowhere.md", "#space", "clir_ot.nothing", "../setup.cfgs"):
        assert missing in done.stderr, done.stderr
