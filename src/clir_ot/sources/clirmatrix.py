"""CLIRMatrix BI-139: queries in any of 138 languages over English Wikipedia, graded 0 to 6 by machine.

The ids `clirmatrix/en/bi139-base/<lang>/{train,dev,test1,test2}` of ir_datasets. A query is the title of an article;
English articles are graded by how high BM25 ranks their translations in the query's language.

Source: Sun & Duh, EMNLP 2020 (CLIRMatrix).
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from clir_ot.collections.collection import ENGLISH
from clir_ot.errors import UserError
from clir_ot.sources import catalogue
from clir_ot.sources.assembly import About, Contents, Progress, assemble, require_new, untold

_SPLITS = {"train": "train", "dev": "dev", "test": "test1"}
_WIKIPEDIA = {"fil": "tl", "gsw": "als"}
"""Wikipedia's own codes, where they are not the canonical ones."""


def build_clirmatrix(
    folder: Path, source: Path | None, languages: Sequence[str] | None, progress: Progress = untold
) -> None:
    """Write the collection folder, whole or not at all.

    Args:
        folder: to write; must not exist, or be empty.
        source: must be None; ir_datasets keeps copies itself.
        languages: of the queries; must be named.
        progress: see `assemble`.

    Raises:
        UserError: no language, or one that CLIRMatrix does not have; the files cannot be fetched.
    """
    catalogue.refuse_source("clirmatrix", source)
    if not languages:
        raise UserError("clirmatrix has queries in 138 languages; name those that you want, such as --languages yo,sw")
    require_new(folder)
    english = catalogue.load("clirmatrix/en")
    sets: dict[tuple[str, str], tuple[str, Any]] = {}
    for code in dict.fromkeys(languages):
        for split, published in _SPLITS.items():
            name = f"clirmatrix/en/bi139-base/{_WIKIPEDIA.get(code, code)}/{published}"
            sets[code, split] = name, catalogue.load(name)

    # Queries of different languages are numbered each by their own Wikipedia.
    def queries(code: str) -> Iterator[tuple[str, str]]:
        for (language, _), part in sets.items():
            if language == code:
                yield from catalogue.queries(*part, prefix=f"{code}-")

    contents = Contents(
        {ENGLISH: partial(catalogue.documents, "clirmatrix/en", english)},
        {code: partial(queries, code) for code in languages},
        {
            f"{split}.{code}": partial(catalogue.judgements, *part, query_prefix=f"{code}-")
            for (code, split), part in sets.items()
        },
    )
    about = About(
        "CLIRMatrix BI-139",
        f"Find the English Wikipedia articles for a query in {', '.join(languages)}.",
        "ir_datasets clirmatrix (https://ir-datasets.com/clirmatrix), bi139-base; Sun & Duh, EMNLP 2020",
        "the files of 2020, which ir_datasets pins by their MD5",
        "Wikipedia's, CC BY-SA; see http://www.cs.jhu.edu/~shuosun/clirmatrix/",
        (
            "Grades 0 to 6 are made by machine from BM25 scores in the query's language",
            "`test` is CLIRMatrix's test1; its test2 is left out",
            "Ids of queries are `<language>-<article>`, of documents the English article's",
        ),
    )
    assemble(folder, contents, about, progress)
