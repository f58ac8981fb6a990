"""MIRACL: Wikipedia passages in 18 languages, questions in the same language, judged by native speakers.

Files on the hub: miracl/miracl-corpus has `miracl-corpus-v1.0-<lang>/docs-<n>.jsonl.gz` with `docid`, `title`, `text`;
miracl/miracl has `miracl-v1.0-<lang>/topics/topics.miracl-v1.0-<lang>-<split>.tsv` of `qid TAB query` and
`miracl-v1.0-<lang>/qrels/qrels.miracl-v1.0-<lang>-<split>.tsv` in TREC's format. Splits with judgements: train and dev.

Source: Zhang et al., TACL 2023 (arXiv 2210.09984).
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from clir_ot.sources.assembly import About, Contents, Document, Progress, assemble, require_new, untold
from clir_ot.sources.hub import choose_languages, obtain
from clir_ot.sources.hub_files import Judgement, judgements, records, topics

LANGUAGES = ("ar", "bn", "de", "en", "es", "fa", "fi", "fr", "hi", "id", "ja", "ko", "ru", "sw", "te", "th", "yo", "zh")
_DEV_ONLY = ("de", "yo")


def build_miracl(
    folder: Path, source: Path | None, languages: Sequence[str] | None, progress: Progress = untold
) -> None:
    """Write the collection folder, whole or not at all.

    Args:
        folder: to write; must not exist, or be empty.
        source: folder with copies of the repositories, `miracl-corpus` and `miracl`; None fetches them.
        languages: canonical codes; None is all 18, 106 M passages.
        progress: see `assemble`.

    Raises:
        UserError: a file cannot be fetched, is missing or is not in the layout.
    """
    chosen = choose_languages("miracl", LANGUAGES, languages)
    require_new(folder)
    splits = {code: ("dev",) if code in _DEV_ONLY else ("train", "dev") for code in chosen}
    docs = {code: f"miracl-corpus-v1.0-{code}/docs-*.jsonl.gz" for code in chosen}
    corpus = obtain("miracl/miracl-corpus", [*docs.values()], source)
    rest = obtain("miracl/miracl", [f"miracl-v1.0-{code}/*/*.tsv" for code in chosen], source)
    documents = {code: corpus.files(pattern) for code, pattern in docs.items()}

    def files(kind: str, code: str, split: str) -> list[Path]:
        return rest.files(f"miracl-v1.0-{code}/{kind}/{kind}.miracl-v1.0-{code}-{split}.tsv")

    asked = {code: [path for split in splits[code] for path in files("topics", code, split)] for code in chosen}
    judged = {(split, code): files("qrels", code, split) for code in chosen for split in splits[code]}

    # Ids are those of each language's Wikipedia and of its own questions: the same id means nothing across languages.
    def passages(code: str) -> Iterator[Document]:
        for row in records(documents[code], ("docid", "title", "text")):
            yield f"{code}-{row['docid']}", row["title"], row["text"], row.place

    def questions(code: str) -> Iterator[tuple[str, str]]:
        return ((f"{code}-{name}", text) for name, text in topics(asked[code]))

    def grades(split: str, code: str) -> Iterator[Judgement]:
        return ((f"{code}-{query}", f"{code}-{name}", grade) for query, name, grade in judgements(judged[split, code]))

    contents = Contents(
        {code: partial(passages, code) for code in chosen},
        {code: partial(questions, code) for code in chosen},
        {f"{split}.{code}": partial(grades, split, code) for split, code in judged},
    )
    about = About(
        "MIRACL",
        f"Find the Wikipedia passage that answers a question of the same language, in {', '.join(chosen)}.",
        "miracl/miracl-corpus and miracl/miracl on the Hugging Face hub; Zhang et al., TACL 2023 (arXiv 2210.09984)",
        f"v1.0; {corpus.version} of the passages, {rest.version} of the questions and judgements",
        "Apache 2.0, as both repositories state it; the passages are Wikipedia's (CC BY-SA)",
        (
            "Ids begin with the language, for each language has passages and questions of its own; nothing is parallel",
            "Each language has its own judgements, `qrels/<split>.<language>.tsv`; 0 is judged and not relevant",
            "Figures in print are over `dev` (evaluate --split dev); the judgements of MIRACL's test sets are not "
            f"public. {' and '.join(_DEV_ONLY)} have no training questions",
        ),
    )
    assemble(folder, contents, about, progress)
