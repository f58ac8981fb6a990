"""mMARCO: MS MARCO's passages and questions, translated by machine to 13 languages; parallel, ids are MS MARCO's.

Files of unicamp-dl/mmarco on the hub, tables without a header: `data/google/collections/<name>_collection.tsv` and
`data/google/queries/{train,dev}/<name>_queries.{train,dev}.tsv` of id and text; `data/qrels.dev.small.tsv` in TREC's
format; `data/triples.train.ids.small.tsv` of query, relevant and other passage.

Source: Bonifacio et al. 2021 (arXiv 2108.13897).
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from clir_ot.collections.collection import ENGLISH
from clir_ot.sources.assembly import About, Contents, Document, Progress, assemble, require_new, untold
from clir_ot.sources.hub import choose_languages, obtain, require_accepted
from clir_ot.sources.hub_files import judgements, table, topics
from clir_ot.sources.msmarco import TERMS, TRIPLES
from clir_ot.sources.triples import MOST_NEGATIVES, read_triples

_REPOSITORY = "unicamp-dl/mmarco"
NAMES = {
    "ar": "arabic", "de": "german", "en": "english", "es": "spanish", "fr": "french", "hi": "hindi",
    "id": "indonesian", "it": "italian", "ja": "japanese", "nl": "dutch", "pt": "portuguese", "ru": "russian",
    "vi": "vietnamese", "zh": "chinese",
}  # fmt: skip
_QRELS = "data/qrels.dev.small.tsv"


def build_mmarco(
    folder: Path, source: Path | None, languages: Sequence[str] | None, accepted: bool, progress: Progress = untold
) -> None:
    """Write the collection folder, whole or not at all.

    Args:
        folder: to write; must not exist, or be empty.
        source: a copy of the repository; None fetches the files of the languages, some 3.5 GB each.
        languages: canonical codes; None is all 14. English is always there, for the teacher is trained on it.
        accepted: the user has read MS MARCO's terms.
        progress: see `assemble`.

    Raises:
        UserError: the terms are not accepted; a file cannot be fetched, is missing or is not in the layout.
    """
    require_accepted("mmarco", TERMS, accepted)
    chosen = [ENGLISH, *(code for code in choose_languages("mmarco", NAMES, languages) if code != ENGLISH)]
    require_new(folder)
    corpora = {code: f"data/google/collections/{NAMES[code]}_collection.tsv*" for code in chosen}
    queries = {
        code: [f"data/google/queries/{split}/{NAMES[code]}_queries.{split}.tsv*" for split in ("train", "dev")]
        for code in chosen
    }
    patterns = [*corpora.values(), *(pattern for both in queries.values() for pattern in both), _QRELS, TRIPLES]
    copy = obtain(_REPOSITORY, patterns, source)
    dev = copy.files(_QRELS)
    train, negatives = read_triples(table(copy.files(TRIPLES), 3))
    documents = {code: copy.files(pattern) for code, pattern in corpora.items()}
    asked = {code: [path for pattern in both for path in copy.files(pattern)] for code, both in queries.items()}

    def passages(code: str) -> Iterator[Document]:
        for name, text in table(documents[code], 2):
            yield name, "", text.strip()

    contents = Contents(
        {code: partial(passages, code) for code in chosen},
        {code: partial(topics, paths) for code, paths in asked.items()},
        {"train": lambda: train, "dev": partial(judgements, dev)},
        negatives,
    )
    about = About(
        "mMARCO",
        f"Find the passage that answers a question, in {', '.join(chosen)}: MS MARCO, translated by Google. Passages "
        "and questions that are translations of each other share their `_id`.",
        f"{_REPOSITORY} on the Hugging Face hub (the Google translations); Bonifacio et al. 2021 (arXiv 2108.13897)",
        copy.version,
        f"{TERMS.says}; {TERMS.place}",
        (
            "`train` judges the relevant passages of the published triples, `dev` is the small development set",
            f"Negatives: up to {MOST_NEGATIVES} a training query, from the triples",
        ),
    )
    assemble(folder, contents, about, progress)
