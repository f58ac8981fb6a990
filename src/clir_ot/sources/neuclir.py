"""NeuCLIR 1: English topics over news in Persian, Russian and Chinese, graded by NIST for TREC 2022 and 2023.

Documents are neuclir/neuclir1 on the hub, `data/{fas,rus,zho}-*` (Parquet; once `.jsonl.gz`) with `id`, `title` and
`text` among others. Topics and judgements are ir_datasets' `neuclir/1/<lang>/trec-{2022,2023}`, whose topics have their
English title and description and a human translation into the language of the documents. ir_datasets' own documents
are the `.jsonl.gz` files, which the repository no longer keeps.

Source: Lawrie et al., TREC 2022 (arXiv 2304.12367) and TREC 2023 (arXiv 2404.08071).
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from clir_ot.collections.collection import ENGLISH
from clir_ot.sources import catalogue
from clir_ot.sources.assembly import About, Contents, Document, Progress, assemble, require_new, untold
from clir_ot.sources.hub import choose_languages, obtain
from clir_ot.sources.hub_files import Judgement, records

NAMES = {"fa": "fas", "ru": "rus", "zh": "zho"}
_YEARS = {"dev": "trec-2022", "test": "trec-2023"}


def build_neuclir(
    folder: Path, source: Path | None, languages: Sequence[str] | None, progress: Progress = untold
) -> None:
    """Write the collection folder, whole or not at all.

    Args:
        folder: to write; must not exist, or be empty.
        source: a copy of the documents' repository; None fetches it. Topics come from ir_datasets either way.
        languages: of the documents; None is all three, 10 M.
        progress: see `assemble`.

    Raises:
        UserError: there is no such language; a file cannot be fetched, is missing or is not in the layout.
    """
    chosen = choose_languages("neuclir", NAMES, languages)
    require_new(folder)
    sets = {
        (code, split): (name := f"neuclir/1/{code}/{year}", catalogue.load(name))
        for code in chosen
        for split, year in _YEARS.items()
    }
    patterns = {code: (f"data/{NAMES[code]}-*.parquet", f"data/{NAMES[code]}-*.jsonl.gz") for code in chosen}
    copy = obtain("neuclir/neuclir1", [pattern for both in patterns.values() for pattern in both], source)
    paths = {code: copy.files(*both) for code, both in patterns.items()}

    def documents(code: str) -> Iterator[Document]:
        for row in records(paths[code], ("id", "title", "text")):
            yield row["id"], row["title"], row["text"], row.place

    def english() -> Iterator[tuple[str, str]]:
        for name, dataset in sets.values():
            yield from catalogue.queries(name, dataset, text=lambda topic: f"{topic.title} {topic.description}")

    def translated(code: str) -> Iterator[tuple[str, str]]:
        for (language, _), (name, dataset) in sets.items():
            if language == code:
                yield from catalogue.queries(name, dataset, text=_human_translation)

    def judgements(split: str) -> Iterator[Judgement]:
        for (_, of), (name, dataset) in sets.items():
            if of == split:
                yield from catalogue.judgements(name, dataset)

    contents = Contents(
        {code: partial(documents, code) for code in chosen},
        {ENGLISH: english, **{code: partial(translated, code) for code in chosen}},
        {split: partial(judgements, split) for split in _YEARS},
    )
    about = About(
        "NeuCLIR 1",
        f"Find the news articles in {', '.join(chosen)} for an English topic.",
        "neuclir/neuclir1 on the Hugging Face hub; topics and judgements of ir_datasets neuclir/1 "
        "(https://ir-datasets.com/neuclir); Lawrie et al. (arXiv 2304.12367, 2404.08071)",
        f"{copy.version} of the documents",
        "ODC-BY, and Common Crawl's terms of use (https://commoncrawl.org/terms-of-use), as the repository states it",
        (
            "`dev` is TREC 2022, `test` is TREC 2023; grades 3, 1 and 0",
            "A query is a topic's title and description, in English and, with the same `_id`, as a human translated it "
            "into the documents' language",
        ),
    )
    assemble(folder, contents, about, progress)


def _human_translation(topic: Any) -> str:
    return f"{topic.ht_title or ''} {topic.ht_description or ''}"
