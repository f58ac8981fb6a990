"""WikiCLIR: English queries from Wikipedia over articles in 24 other languages, graded by the links between them.

The ids `wikiclir/<lang>` of ir_datasets: documents with title and text, queries with title and first sentence; grade 2
is the article on the same subject, 1 one that it links to and that links back.

Source: Sasaki et al., NAACL 2018 (Cross-lingual Learning-to-Rank with Shared Representations).
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from clir_ot.collections.collection import ENGLISH
from clir_ot.sources import catalogue
from clir_ot.sources.assembly import About, Contents, Progress, assemble, require_new, untold
from clir_ot.sources.hub import choose_languages
from clir_ot.sources.hub_files import Judgement

IDS = {
    code: f"wikiclir/{code if code != 'fil' else 'tl'}"
    for code in (
        "ar", "ca", "cs", "de", "es", "fi", "fil", "fr", "it", "ja", "ko", "nl", "nn", "no", "pl", "pt", "ro", "ru",
        "sv", "sw", "tr", "uk", "vi", "zh",
    )
}  # fmt: skip


def build_wikiclir(
    folder: Path, source: Path | None, languages: Sequence[str] | None, progress: Progress = untold
) -> None:
    """Write the collection folder, whole or not at all.

    Args:
        folder: to write; must not exist, or be empty.
        source: must be None; ir_datasets keeps copies itself.
        languages: of the documents; None is all 24. The one file that is fetched (7 GB) has them all.
        progress: see `assemble`.

    Raises:
        UserError: there is no such language; the files cannot be fetched.
    """
    catalogue.refuse_source("wikiclir", source)
    chosen = choose_languages("wikiclir", IDS, languages)
    require_new(folder)
    sets = {code: catalogue.load(IDS[code]) for code in chosen}

    # Article numbers are each Wikipedia's own; the English queries are the same ones in all sets.
    def queries() -> Iterator[tuple[str, str]]:
        for code, dataset in sets.items():
            yield from catalogue.queries(IDS[code], dataset, text=_query)

    def judgements() -> Iterator[Judgement]:
        for code, dataset in sets.items():
            yield from catalogue.judgements(IDS[code], dataset, document_prefix=f"{code}-")

    contents = Contents(
        {code: partial(catalogue.documents, IDS[code], dataset, f"{code}-") for code, dataset in sets.items()},
        {ENGLISH: queries},
        {"train": judgements},
    )
    about = About(
        "WikiCLIR",
        f"Find the Wikipedia articles in {', '.join(chosen)} on the subject of an English article's first sentence.",
        "ir_datasets wikiclir (https://ir-datasets.com/wikiclir); Sasaki et al., NAACL 2018",
        "the archive wiki-clir.tar.gz of 2018, which ir_datasets pins by its MD5",
        "Wikipedia's, CC BY-SA; see https://www.cs.jhu.edu/~kevinduh/a/wikiclir2018/",
        (
            "Grade 2: the article on the same subject; 1: one that it links to and that links back",
            "A query is the first sentence, without the title's words; the title where there is none",
            "No split is published: all judgements are in `train`",
            "Ids of documents are `<language>-<article>`, of queries the English article's",
        ),
    )
    assemble(folder, contents, about, progress)


def _query(query: Any) -> str:
    return str(query.first_sent if (query.first_sent or "").strip() else query.title)
