"""LAReQA's collections: a small one in its layout, each value known by hand, and the published XQuAD-R where it is."""

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clir_ot import Collection
from clir_ot.collections.check import find_problems
from clir_ot.errors import UserError
from clir_ot.sources.lareqa import DATASETS, build_lareqa, read_language

XQUAD_R = Path(__file__).parents[3] / "shared" / "data" / "xquad-r"
LANGUAGES = {name: published.languages for name, published in DATASETS.items()}

# Two paragraphs a language, as ((sentence, begin), ...) and {question: where the answer begins, and the answer}.
# Chinese sentences touch: the answer to q2 opens the second sentence, where the first one's end is.
Paragraph = tuple[list[tuple[str, int]], dict[str, tuple[int, str]]]
PARAGRAPHS: dict[str, list[Paragraph]] = {
    "en": [
        ([("Ada wrote a note.", 0), ("It ran in 1843.", 18)], {"q1": (0, "Ada"), "q2": (28, "1843")}),
        ([("Rain fell.", 0)], {"q3": (0, "Rain")}),
    ],
    "zh": [
        ([("艾达写了笔记。", 0), ("1843年发表。", 7)], {"q1": (0, "艾达"), "q2": (7, "1843年")}),
        ([("下雨了。", 0)], {"q3": (0, "下雨")}),
    ],
    # Three sentences where English has two; combining vowels and tone marks count as characters.
    "th": [
        (
            [("เอดาเขียน", 0), ("บันทึกนี้", 9), ("ตีพิมพ์ปี 1843", 19)],
            {"q1": (0, "เอดา"), "q2": (29, "1843")},
        ),
        ([("ฝนตก", 0)], {"q3": (0, "ฝน")}),
    ],
}


def layout(language: str) -> dict[str, Any]:
    """The file of a language; those without text of their own have the English one."""
    articles = []
    for sentences, answers in PARAGRAPHS.get(language, PARAGRAPHS["en"]):
        context = ""
        for text, begin in sentences:
            context = context.ljust(begin) + text
        qas = [
            {"id": q, "question": f"{language} {q}?", "answers": [{"text": text, "answer_start": start}]}
            for q, (start, text) in answers.items()
        ]
        assert all(context[start:].startswith(text) for start, text in answers.values())
        paragraph = {
            "context": context,
            "qas": qas,
            "sentences": [text for text, _ in sentences],
            "sentence_breaks": [[begin, begin + len(text)] for text, begin in sentences],
        }
        articles.append({"title": "T", "paragraphs": [paragraph]})
    return {"version": "1.1", "data": articles}


def write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A whole XQuAD-R of two paragraphs."""
    folder = tmp_path / "xquad-r"
    folder.mkdir()
    for language in LANGUAGES["xquad-r"]:
        write(folder / f"{language}.json", layout(language))
    return folder


def test_each_languages_sentences_are_documents_and_one_file_judges_them_all(source: Path, tmp_path: Path) -> None:
    build_lareqa("xquad-r", source, tmp_path / "built")
    collection = Collection(tmp_path / "built")
    assert collection.document_languages == collection.query_languages == sorted(LANGUAGES["xquad-r"])
    assert collection.documents() == {
        "en-1-1": "Ada wrote a note.", "en-1-2": "It ran in 1843.", "en-2-1": "Rain fell.",
    }  # fmt: skip
    assert list(collection.documents("th")) == ["th-1-1", "th-1-2", "th-1-3", "th-2-1"]
    assert collection.queries("zh") == {"q1": "zh q1?", "q2": "zh q2?", "q3": "zh q3?"}
    judged = collection.qrels("test")
    assert list(judged) == ["q1", "q2", "q3"]
    assert next(iter(judged["q2"])) == "en-1-2"
    assert judged["q2"].keys() >= {"en-1-2", "zh-1-2", "th-1-3"}
    assert all(len(grades) == 11 and set(grades.values()) == {1} for grades in judged.values())
    assert not any(name.split() != [name] for grades in judged.values() for name in grades)
    assert list(find_problems(collection.folder, []).lines()) == []
    readme = (tmp_path / "built" / "README.md").read_text()
    assert "CC BY-SA 4.0" in readme
    assert collection.fingerprint() in readme


def test_an_answer_at_a_boundary_belongs_to_the_sentence_it_opens(source: Path) -> None:
    assert read_language(source / "zh.json", "zh").relevant == {"q1": ["zh-1-1"], "q2": ["zh-1-2"], "q3": ["zh-2-1"]}


def test_an_answer_that_begins_with_the_space_between_sentences_belongs_to_the_second(source: Path) -> None:
    content = layout("en")
    content["data"][0]["paragraphs"][0]["qas"][1]["answers"] = [{"text": " It ran", "answer_start": 17}]
    write(source / "en.json", content)
    assert read_language(source / "en.json", "en").relevant["q2"] == ["en-1-2"]


def test_a_search_of_one_language_is_measured_by_its_own_sentences(source: Path, tmp_path: Path) -> None:
    build_lareqa("xquad-r", source, tmp_path / "built")
    collection = Collection(tmp_path / "built")
    assert collection.judged("test", "zh")[1] == {"q1": {"en-1-1": 1}, "q2": {"en-1-2": 1}, "q3": {"en-2-1": 1}}
    assert collection.judged("test", "en", "th")[1]["q2"] == {"th-1-3": 1}
    assert len(collection.judged("test", "en", None)[1]["q2"]) == 11


def test_mlqa_r_has_questions_that_some_languages_lack(tmp_path: Path) -> None:
    source = tmp_path / "lareqa" / "mlqa-dev-r"  # as in the repository, whose root is given
    source.mkdir(parents=True)
    for language in LANGUAGES["mlqa-r"]:
        content = layout(language)
        if language == "de":
            del content["data"][1]  # q3
        if language == "zh":
            del content["data"][0]  # q1 and q2
        with gzip.open(source / f"{language}.json.gz", "wt", encoding="utf-8") as file:
            json.dump(content, file)
    build_lareqa("mlqa-r", tmp_path / "lareqa", tmp_path / "built")
    collection = Collection(tmp_path / "built")
    assert list(find_problems(collection.folder, []).lines()) == []
    assert list(collection.judged("test", "de")[0]) == ["q1", "q2"]
    assert collection.judged("test", "en", "zh")[1] == {"q3": {"zh-1-1": 1}}
    with pytest.raises(UserError, match=r"test\.tsv: judges no document in 'zh' for the queries in 'de'"):
        collection.judged("test", "de", "zh")
    assert "CC BY-NC 4.0" in (tmp_path / "built" / "README.md").read_text()


def edited(edit: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    """Changes the first paragraph of a file."""

    def change(path: Path) -> None:
        content = json.loads(path.read_text())
        edit(content["data"][0]["paragraphs"][0])
        write(path, content)

    return change


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (edited(lambda p: p.pop("sentence_breaks")), "data[0].paragraphs[0].sentence_breaks: Field required"),
        (edited(lambda p: p["sentence_breaks"].pop()), "data[0].paragraphs[0] has 3 sentences, but 2 sentence_breaks"),
        (edited(lambda p: p["sentences"].append(" ")), "data[0].paragraphs[0].sentences[3]: "),
        (
            edited(lambda p: p["qas"][0]["answers"][0].update(answer_start=400)),
            "data[0].paragraphs[0], question 'q1': its answer, at 400, is outside every sentence",
        ),
        # The end of the last sentence is not in it.
        (
            edited(lambda p: p["qas"][0]["answers"][0].update(answer_start=p["sentence_breaks"][-1][1])),
            "question 'q1': its answer, at 33, is outside every sentence",
        ),
        (
            edited(lambda p: p["sentence_breaks"].__setitem__(1, [0, 20])),
            "question 'q1': its answer, at 0, is in 2 sentences",
        ),
        (edited(lambda p: p["qas"].append(p["qas"][0])), "data[0].paragraphs[0]: question 'q1' occurs a second time"),
        (edited(lambda p: p["qas"][1].update(id="q 2")), "data[0].paragraphs[0].qas[1].id: "),
        (edited(lambda p: p["qas"].pop()), "question 'q2' of en.json is missing; XQuAD-R has every question"),
        (lambda path: path.write_text('{"data": ['), "Invalid JSON"),
        (lambda path: path.write_bytes(b'{"data": "\xff"}'), ":1: not UTF-8"),
        (lambda path: path.write_text('{"data": []}'), ": data: "),
        (lambda path: path.unlink(), "no such file; XQuAD-R has ar, de, el"),
    ],
)
def test_bad_input_is_one_line_that_names_file_and_place(
    source: Path, tmp_path: Path, change: Callable[[Path], None], expected: str
) -> None:
    change(source / "th.json")
    with pytest.raises(UserError) as caught:
        build_lareqa("xquad-r", source, tmp_path / "built")
    assert str(source / "th.json") in str(caught.value)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "built").exists()


def test_another_data_set_is_refused(source: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"el\.json: MLQA-R has no such language"):
        build_lareqa("mlqa-r", source, tmp_path / "built")


def test_a_folder_with_something_in_it_is_left_alone(source: Path, tmp_path: Path) -> None:
    (tmp_path / "built").mkdir()
    build_lareqa("xquad-r", source, tmp_path / "built")
    before = {path: path.read_bytes() for path in (tmp_path / "built").rglob("*.*")}
    assert before
    with pytest.raises(UserError, match="is there already and not empty"):
        build_lareqa("xquad-r", source, tmp_path / "built")
    assert before == {path: path.read_bytes() for path in (tmp_path / "built").rglob("*.*")}


def test_the_command_prints_what_was_built_and_what_comes_next(
    source: Path, tmp_path: Path, clir: Callable[..., str]
) -> None:
    built = tmp_path / "built"
    printed = clir("collection", "build", "xquad-r", built, "--from", source)
    rows = {cells[0]: cells[1:] for line in printed.splitlines() if (cells := line.split())}
    assert rows["th"][:5] == ["4", "3", "0", "0", "3"]  # documents, queries, train, dev, test
    assert f"collection: {built}" in printed
    search, evaluate = printed.partition("next: ")[2].splitlines()
    assert search == f"clir-ot search --bm25 --collection {built} --language en --output en.trec"
    assert evaluate.strip() == f"clir-ot evaluate en.trec --collection {built} --language en"
    assert clir("collection", "check", built) == f"{built}: no problem found\n"
    # As printed: the German questions over the English sentences; then over the German ones, which it names.
    run = tmp_path / "de.trec"
    run.write_text("q1 Q0 en-1-1 1 2 x\nq2 Q0 en-1-1 1 3 x\nq2 Q0 en-1-2 2 2 x\nq3 Q0 de-2-1 1 2 x\n")
    for documents, reciprocal_ranks in (("en", (1 + 1 / 2 + 0) / 3), ("de", (0 + 0 + 1) / 3)):
        table = clir("evaluate", run, "--collection", built, "--language", "de", "--documents", documents)
        assert f" {reciprocal_ranks:.3f} [" in table


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["xquad-r", "DIR"], "folder xquad-r of https://github.com/google-research-datasets/lareqa"),
        (["mlqa-r", "DIR"], "folder mlqa-dev-r of https://github.com/google-research-datasets/lareqa"),
        (["xquad-r"], "needs the folder to write"),
        (["xquad-r", "DIR", "--from", "missing"], "missing: no such folder"),
        (["starter", "DIR", "--from", "DIR"], "starter is fetched"),
        (["xquad-r", "DIR", "--accept-licence"], "asks nobody to accept terms; leave --accept-licence out"),
    ],
)
def test_what_the_command_lacks_is_said(
    tmp_path: Path, clir: Callable[..., str], arguments: list[str], expected: str
) -> None:
    printed = clir("collection", "build", *(tmp_path / "new" if a == "DIR" else a for a in arguments))
    assert printed.startswith("FAILED: clir-ot: ")
    assert expected in printed
    assert "\n" not in printed
    assert not (tmp_path / "new").exists()


@pytest.fixture(scope="module")
def published() -> dict[str, dict[str, Any]]:
    if not XQUAD_R.is_dir():
        pytest.skip("XQuAD-R's published files are not at ../shared/data/xquad-r")
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in XQUAD_R.glob("*.json")}


@pytest.mark.slow
def test_the_published_xquad_r_is_read_as_its_authors_count_it(
    published: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    build_lareqa("xquad-r", XQUAD_R, tmp_path / "built")
    collection = Collection(tmp_path / "built")
    assert list(find_problems(collection.folder, []).lines()) == []
    # Candidates: the table of LAReQA's README.
    counted = {"ar": 1222, "de": 1276, "el": 1234, "en": 1180, "es": 1215, "hi": 1244, "ru": 1219, "th": 852}
    counted |= {"tr": 1167, "vi": 1209, "zh": 1196}
    assert {language: len(collection.documents(language)) for language in collection.document_languages} == counted
    assert sum(counted.values()) == 13014
    for language in counted:
        queries, qrels = collection.judged("test", "en", language)
        assert len(queries) == len(collection.queries(language)) == 1190
        assert all(len(grades) == 1 for grades in qrels.values())
    assert sum(map(len, collection.qrels("test").values())) == 11 * 1190


def test_every_published_answer_stands_in_its_sentence(published: dict[str, dict[str, Any]]) -> None:
    """By the text, which the builder does not look at. An answer may go on in the next sentence."""
    astray = []
    for language in published:
        texts = read_language(XQUAD_R / f"{language}.json", language)
        for paragraph in paragraphs(published[language]):
            for question in paragraph["qas"]:
                (document,) = texts.relevant[question["id"]]
                answer = question["answers"][0]["text"]
                sentence = texts.documents[document]
                ends = (sentence.endswith(answer[:n].rstrip()) for n in range(1, len(answer)))
                if answer not in sentence and not any(ends):
                    astray.append(question["id"])
    # The Turkish paragraph has a garbled fraction stroke that its sentences have not.
    assert astray == ["570d47b8b3d812140066d62e"]


def test_inclusive_ends_would_judge_29_chinese_questions_twice(published: dict[str, dict[str, Any]]) -> None:
    doubled = 0
    for paragraph in paragraphs(published["zh"]):
        for question in paragraph["qas"]:
            start = question["answers"][0]["answer_start"]
            doubled += sum(begin <= start <= end for begin, end in paragraph["sentence_breaks"]) == 2
    assert doubled == 29
    assert {len(documents) for documents in read_language(XQUAD_R / "zh.json", "zh").relevant.values()} == {1}


def test_published_files_may_be_compressed(published: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    path = tmp_path / "th.json.gz"
    with (XQUAD_R / "th.json").open("rb") as plain, gzip.open(path, "wb") as packed:
        shutil.copyfileobj(plain, packed)
    assert read_language(path, "th") == read_language(XQUAD_R / "th.json", "th")


def paragraphs(content: dict[str, Any]) -> list[dict[str, Any]]:
    return [paragraph for article in content["data"] for paragraph in article["paragraphs"]]
