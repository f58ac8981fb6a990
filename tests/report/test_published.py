"""Figures in print: shown beside ours where they are of one kind, said in a line where not, refused where damaged."""

from pathlib import Path

import pytest

from clir_ot.collections.trec import Qrels
from clir_ot.errors import UserError
from clir_ot.evaluation.systems import Measured, measure
from clir_ot.report.bias import Bias
from clir_ot.report.published import read_published
from clir_ot.report.published_figures import published_figures
from clir_ot.report.study import Row, Study

PAPERS = Path(__file__).parent.parent.parent / "experiments" / "paper" / "published"
HEAD = "source: Somebody 2020\ncollection: Elsewhere\ndiffers: all of it\nlanguages: [en, yo]\n"


def measured(language: str, rank: int) -> Measured:
    """One query whose relevant document is at that rank."""
    run = {"q": {f"d{r}": -float(r) for r in range(1, 9)}}
    qrels: Qrels = {"q": {f"d{rank}": 1}}
    return measure("x", language, run, qrels, ("MRR@10", "MAP"))


@pytest.fixture
def study() -> Study:
    rows = [Row("zero-shot", {"yo": measured("yo", 4), "en": measured("en", 1)}, {})]
    return Study("MRR@10", ("MRR@10", "MAP"), ["yo"], ["yo"], rows, [], [], {}, {}, {}, [])


BIAS = Bias(
    "hybrid",
    {},
    {},
    {"en": {"en": 0.8, "yo": 0.5}, "yo": {"en": 0.4, "yo": 0.7}},
    {"en": 0.6, "yo": 0.3},
    {},
    {"pool MAP": (17, 18)},
)


def written(path: Path, tables: str, head: str = HEAD) -> Path:
    path.write_text(f"{head}tables:\n{tables}")
    return path


def shown(path: Path, study: Study) -> tuple[list[list[list[str]]], str]:
    (section,) = published_figures([read_published(path)], study, [BIAS], "mine")
    return [[*map(list, table)] for _, table in section.tables], section.text[-1]


def test_figures_stand_beside_ours_of_the_same_measure_documents_and_languages(study: Study, tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.yaml",
        "  - {measure: RR@10, systems: {theirs: {yor: 0.29, sw: 0.1}}}\n"
        "  - {measure: MAP, documents: own, systems: {theirs: {yo: 0.6, mean: 0.65}}}\n"
        "  - {measure: AP, documents: others, systems: {theirs: {yo: 0.35}}}\n"
        "  - {measure: MAP, documents: pool, systems: {theirs: {mean: 0.5}}}\n"
        "  - {measure: MAP, documents: yo, systems: {theirs: {en: 0.45}}}\n"
        "  - {measure: nDCG@20, systems: {theirs: {yo: 0.35}}}\n",
    )
    tables, said = shown(path, study)
    assert tables == [
        [["figures", "system", "Yoruba"], ["published", "theirs", "0.29"], ["ours", "zero-shot", "0.250"]],
        [["figures", "system", "Yoruba", "mean"], ["published", "theirs", "0.6", "0.65"],
         ["ours", "hybrid", "0.700", "0.750"]],
        [["figures", "system", "Yoruba"], ["published", "theirs", "0.35"], ["ours", "hybrid", "0.400"]],
        [["figures", "system", "mean"], ["published", "theirs", "0.5"], ["ours", "hybrid", "0.450"]],
        [["figures", "system", "English"], ["published", "theirs", "0.45"], ["ours", "hybrid", "0.500"]],
    ]  # fmt: skip
    assert "MRR@10 of queries over the English documents, Somebody 2020: Swahili" in said
    assert "nDCG@20 of queries over the English documents, Somebody 2020: none of ours is of this kind" in said


def test_a_pool_of_other_languages_is_another_pool(study: Study, tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.yaml",
        "  - {measure: MAP, documents: pool, systems: {theirs: {yo: 0.5}}}\n"
        "  - {measure: MAP, documents: own, systems: {theirs: {yo: 0.5, mean: 0.4}}}\n",
        HEAD.replace("yo", "yo, sw"),
    )
    tables, said = shown(path, study)
    assert [table[0] for table in tables] == [["figures", "system", "Yoruba"]]
    assert "the documents of all languages together, Somebody 2020: none of ours" in said
    assert "own language, Somebody 2020: mean" in said


@pytest.mark.parametrize(
    ("content", "line", "said"),
    [
        (f"{HEAD}tables:\n  - measure: MAP\n    systems: {{a: {{yo: 45.1}}}}\n", 7, "tables.0.systems.a.yo: "),
        (f"{HEAD}tables:\n  - measure: MAP\n    systems:\n      a: {{yo: high}}\n", 8, "valid number"),
        (f"{HEAD}tables:\n  - measure: mAP\n    systems: {{a: {{yo: 0.4}}}}\n", 6, "unknown measure 'mAP'"),
        (f"{HEAD}tables:\n  - measure: MAP\n    systems:\n      a:\n        yoruba!: 0.4\n", 9, "not a language code"),
        (f"{HEAD}tables:\n  - measure: MAP\n    document: own\n    systems: {{a: {{yo: 0.4}}}}\n", 7, "document"),
        (f"{HEAD}tables:\n  - measure: MAP\n    systems:\n      a: {{yo: 0.4, yo: 0.5}}\n", 8, "a second time"),
        ("source: a\ncollection: b\ntables: []\n", 1, "differs: Field required"),
        (f"{HEAD}tables:\n  - measure: [MAP\n", 7, "cannot be read as YAML"),
        (
            "source: a\ncollection: b\ndiffers: c\ntables:\n- measure: MAP\n  systems: {a: {mean: .5}}\n",
            5,
            "need to say which: add languages",
        ),
    ],
)
def test_what_is_wrong_is_one_line_with_its_place(tmp_path: Path, content: str, line: int, said: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(content)
    with pytest.raises(UserError) as caught:
        read_published(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_files_of_papers_are_whole() -> None:
    """Each mean that is in print is that of the figures in print, to their rounding: none was copied wrongly."""
    paths = [*PAPERS.glob("*.yaml")]
    assert paths
    for path in paths:
        found = read_published(path)
        for table in found.tables:
            for system, values in table.systems.items():
                single = [values[language] for language in found.languages or [] if language in values]
                if "mean" in values and len(single) == len(found.languages or []):
                    assert sum(single) / len(single) == pytest.approx(values["mean"], abs=1e-4), (path, system)
