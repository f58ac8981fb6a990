"""CIRAL: English questions over news passages in Hausa, Somali, Swahili and Yoruba, judged by native speakers.

Files on the hub: CIRAL/ciral-corpus has `passages-v1.0/<name>_passages.jsonl` with `docid`, `title`, `text`, `url`;
CIRAL/ciral has `ciral-<name>/topics/topics.ciral-v1.0-<lang>-<set>.tsv` of `qid TAB query` and
`ciral-<name>/qrels/qrels.ciral-v1.0-<lang>-<set>.tsv` in TREC's format, for the sets dev, test-a and test-b; test-a was
judged again, deeper, in `...-test-a-pools.tsv`.

Source: Adeyemi et al., SIGIR 2024 (CIRAL: A Test Collection for CLIR Evaluations in African Languages).
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from clir_ot.collections.collection import ENGLISH
from clir_ot.sources.assembly import About, Contents, Document, Progress, assemble, require_new, untold
from clir_ot.sources.hub import Copy, choose_languages, obtain
from clir_ot.sources.hub_files import Judgement, judgements, records, topics

NAMES = {"ha": "hausa", "so": "somali", "sw": "swahili", "yo": "yoruba"}
_SETS = {"dev": ("dev",), "test": ("test-a", "test-b")}


def build_ciral(
    folder: Path, source: Path | None, languages: Sequence[str] | None, progress: Progress = untold
) -> None:
    """Write the collection folder, whole or not at all.

    Args:
        folder: to write; must not exist, or be empty.
        source: folder with copies of the repositories, `ciral-corpus` and `ciral`; None fetches them.
        languages: of the passages; None is all four.
        progress: see `assemble`.

    Raises:
        UserError: a file cannot be fetched, is missing or is not in the layout.
    """
    chosen = choose_languages("ciral", NAMES, languages)
    require_new(folder)
    docs = {code: f"passages-v1.0/{NAMES[code]}_passages.jsonl*" for code in chosen}
    corpus = obtain("CIRAL/ciral-corpus", [*docs.values()], source)
    rest = obtain("CIRAL/ciral", [f"ciral-{NAMES[code]}/*/*.tsv" for code in chosen], source)
    documents = {code: corpus.files(pattern) for code, pattern in docs.items()}
    sets = [(code, name) for code in chosen for names in _SETS.values() for name in names]
    asked = {(code, name): _files(rest, "topics", code, name) for code, name in sets}
    judged = {(code, name): _files(rest, "qrels", code, f"{name}-pools", name) for code, name in sets}

    # Ids are the language's own: the same number is another question, or another passage, in the next language.
    def passages(code: str) -> Iterator[Document]:
        for row in records(documents[code], ("docid", "title", "text")):
            yield f"{code}-{row['docid']}", row["title"], row["text"], row.place

    def questions() -> Iterator[tuple[str, str]]:
        for (code, name), paths in asked.items():
            for query, text in topics(paths):
                yield f"{code}-{name}-{query}", text

    def grades(names: Sequence[str]) -> Iterator[Judgement]:
        for (code, name), paths in judged.items():
            if name in names:
                for query, document, grade in judgements(paths):
                    yield f"{code}-{name}-{query}", f"{code}-{document}", grade

    contents = Contents(
        {code: partial(passages, code) for code in chosen},
        {ENGLISH: questions},
        {split: partial(grades, names) for split, names in _SETS.items()},
    )
    about = About(
        "CIRAL",
        f"Find the news passages in {', '.join(chosen)} that answer an English question.",
        "CIRAL/ciral-corpus and CIRAL/ciral on the Hugging Face hub; Adeyemi et al., SIGIR 2024",
        f"v1.0; {corpus.version} of the passages, {rest.version} of the questions and judgements",
        "Apache 2.0, as both repositories state it",
        (
            "Ids of queries are `<language>-<set>-<number>`, of documents `<language>-<docid>`: every language has "
            "questions of its own",
            "`test` holds both test sets, told apart by the ids; of test-a the deeper judgements of the pools",
            "Measure a run over one language's passages by their judgements: evaluate --language en --documents yo",
        ),
    )
    assemble(folder, contents, about, progress)


def _files(copy: Copy, kind: str, code: str, *names: str) -> list[Path]:
    return copy.files(*(f"ciral-{NAMES[code]}/{kind}/{kind}.ciral-v1.0-{code}-{name}.tsv" for name in names))
