"""MS MARCO passages: 8.8 M English passages and the questions of a search engine's users, to train a teacher on.

Files, on the hub: BeIR/msmarco has `corpus.jsonl.gz` and `queries.jsonl.gz` (or the same columns as Parquet, in the
folders `corpus` and `queries`) with `_id`, `title`, `text`; BeIR/msmarco-qrels has `train.tsv`, `dev.tsv` and
`test.tsv`, which is TREC's Deep Learning track of 2019, graded 0 to 3. Triples: `data/triples.train.ids.small.tsv` of
unicamp-dl/mmarco, the official ones by id.

Sources: Nguyen et al. 2016 (arXiv 1611.09268); Thakur et al. 2021 (BEIR, arXiv 2104.08663); Craswell et al. 2020.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from clir_ot.collections.collection import ENGLISH
from clir_ot.sources.assembly import About, Contents, Document, Progress, assemble, require_new, untold
from clir_ot.sources.hub import Terms, choose_languages, obtain, require_accepted
from clir_ot.sources.hub_files import judgements, records, table
from clir_ot.sources.triples import MOST_NEGATIVES, read_triples

TERMS = Terms(
    "MS MARCO is for non-commercial research only, and comes without any warranty",
    "https://microsoft.github.io/msmarco/ (Terms and Conditions)",
)
TRIPLES = "data/triples.train.ids.small.tsv"
TRIPLES_REPOSITORY = "unicamp-dl/mmarco"

_CORPUS = ("corpus/*.parquet", "corpus.jsonl*")
_QUERIES = ("queries/*.parquet", "queries.jsonl*")
_QRELS = {"train": ("train.tsv",), "dev": ("dev.tsv", "validation.tsv"), "test": ("test.tsv",)}


def build_msmarco(
    folder: Path, source: Path | None, languages: Sequence[str] | None, accepted: bool, progress: Progress = untold
) -> None:
    """Write the collection folder, whole or not at all.

    Args:
        folder: to write; must not exist, or be empty.
        source: copies of the repositories, `msmarco`, `msmarco-qrels` and, if negatives are wanted, `mmarco`; or one
            folder with the files of all. None fetches them.
        languages: None, or English.
        accepted: the user has read the terms.
        progress: see `assemble`.

    Raises:
        UserError: the terms are not accepted; a file cannot be fetched, is missing or is not in the layout.
    """
    require_accepted("msmarco", TERMS, accepted)
    choose_languages("msmarco", (ENGLISH,), languages)
    require_new(folder)
    texts = obtain("BeIR/msmarco", [*_CORPUS, *_QUERIES], source)
    qrels = obtain("BeIR/msmarco-qrels", [pattern for patterns in _QRELS.values() for pattern in patterns], source)
    # A copy without the triples is one without negatives; the hub always has them.
    triples = obtain(TRIPLES_REPOSITORY, [TRIPLES], source)
    rows = table(triples.files(TRIPLES), 3) if source is None or triples.has(TRIPLES) else iter(())
    _, negatives = read_triples(rows)
    corpus, queries = texts.files(*_CORPUS), texts.files(*_QUERIES)
    judged = {split: qrels.files(*patterns) for split, patterns in _QRELS.items()}

    def documents() -> Iterator[Document]:
        for row in records(corpus, ("_id", "title", "text")):
            yield row["_id"], row["title"], row["text"], row.place

    contents = Contents(
        {ENGLISH: documents},
        {ENGLISH: lambda: ((row["_id"], row["text"]) for row in records(queries, ("_id", "text")))},
        {split: partial(judgements, paths) for split, paths in judged.items()},
        negatives,
    )
    about = About(
        "MS MARCO passages",
        "Find the passage that answers a search engine's question; English.",
        "BeIR/msmarco, BeIR/msmarco-qrels and the triples of unicamp-dl/mmarco on the Hugging Face hub; Nguyen et al. "
        "2016 (arXiv 1611.09268), BEIR (arXiv 2104.08663)",
        f"{texts.version} of the texts, {qrels.version} of the judgements",
        f"{TERMS.says}; {TERMS.place}",
        (
            "`dev` is the small development set; `test` is TREC's Deep Learning track of 2019, graded 0 to 3, where "
            "trec_eval counts 2 and 3 as relevant for binary measures",
            f"Negatives: up to {MOST_NEGATIVES} of each of {len(negatives)} training queries, from the triples",
        ),
    )
    assemble(folder, contents, about, progress)
