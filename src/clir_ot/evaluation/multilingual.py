"""One encoder on parallel queries and documents of several languages, in the settings of LAReQA."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from clir_ot.collections import Collection
from clir_ot.collections.languages import language_name
from clir_ot.collections.trec import Qrels, ranking
from clir_ot.errors import UserError
from clir_ot.evaluation.language_bias import rank_distance
from clir_ot.evaluation.metrics import evaluate_run, mean
from clir_ot.models.encoder import TokenEncoder
from clir_ot.retrieval.search import all_scores, best
from clir_ot.retrieval.token_index import TokenIndex, encode, pool

MONOLINGUAL, CROSS_LINGUAL, POOL = "monolingual MAP", "cross-lingual MAP", "pool MAP"
RANK_DISTANCE = "rank distance"

ByQuery = Mapping[str, float]


@dataclass(frozen=True)
class Multilingual:
    """What an encoder finds of each query's parallel relevant documents.

    Attributes:
        pairs: `{(query language, document language): {query: AP}}` over the documents of one language.
        pool: `{query language: {query: AP}}` over the documents of all languages together, where each translation of a
            relevant document is relevant (the multilingual pool of LAReQA: Roy et al. 2020, section 3).
        rank_distance: `{query language: {query: distance}}` in that pool, see `rank_distance`.
    """

    pairs: Mapping[tuple[str, str], ByQuery]
    pool: Mapping[str, ByQuery]
    rank_distance: Mapping[str, ByQuery]

    def by_query(self) -> dict[str, dict[str, float]]:
        """`{setting: {query: its mean over languages}}`, over those of its languages that have it."""
        settings = {
            MONOLINGUAL: [values for (queries, documents), values in self.pairs.items() if queries == documents],
            CROSS_LINGUAL: [values for (queries, documents), values in self.pairs.items() if queries != documents],
            POOL: list(self.pool.values()),
            RANK_DISTANCE: list(self.rank_distance.values()),
        }
        return {name: _means(values) for name, values in settings.items()}

    def means(self, language: str) -> dict[str, float]:
        """`{setting: mean}` of one query language; across languages, over the languages of documents."""
        cross = [mean(values) for (queries, other), values in self.pairs.items() if queries == language != other]
        return {
            MONOLINGUAL: mean(self.pairs[language, language]),
            CROSS_LINGUAL: sum(cross) / len(cross),
            POOL: mean(self.pool[language]),
            RANK_DISTANCE: mean(self.rank_distance[language]),
        }


def evaluate_languages(
    encoder: TokenEncoder,
    collection: Collection,
    languages: Sequence[str],
    split: str,
    encoded: Mapping[str, TokenIndex] | None = None,
    progress: Callable[[str], None] = lambda line: None,
) -> Multilingual:
    """Search all languages' documents with all languages' judged queries.

    Args:
        encoder: of queries and documents.
        collection: whose translated documents share their `_id`.
        languages: two or more.
        split: of the judged queries.
        encoded: documents of some of the languages, encoded already.
        progress: called with a line for each language whose documents are encoded.

    Raises:
        UserError: a single language; queries or documents are missing in a language, or share no judgement.
    """
    if len(languages) < 2:
        raise UserError(f"only {', '.join(languages)}: the multilingual settings need two languages or more")
    indexes = {}
    for number, language in enumerate(languages, start=1):
        if encoded and language in encoded:
            indexes[language] = encoded[language]
            continue
        progress(f"[{number}/{len(languages)}] encoding the documents in {language_name(language)}")
        indexes[language] = encode(encoder, encoder.tokenizer.documents, collection.documents(language))
    pooled = pool(indexes)
    pairs, in_pool, distance = {}, {}, {}
    for language in languages:
        texts, qrels = collection.judged(split, language)
        queries = encode(encoder, encoder.tokenizer.queries, texts)
        scores = all_scores(queries, pooled)
        everywhere: Qrels = {query: {} for query in qrels}
        parts = scores.split([len(index.ids) for index in indexes.values()], dim=1)
        for (other, index), part in zip(indexes.items(), parts, strict=True):
            there = set(index.ids)
            judged = {query: {d: g for d, g in grades.items() if d in there} for query, grades in qrels.items()}
            for query, grades in judged.items():
                everywhere[query] |= {f"{other}:{d}": g for d, g in grades.items()}
            found = evaluate_run(best(part, queries.ids, index.ids), judged, ["MAP"])
            pairs[language, other] = found["MAP"]
        run = best(scores, queries.ids, pooled.ids, len(pooled.ids))
        in_pool[language] = evaluate_run(run, everywhere, ["MAP"])["MAP"]
        distance[language] = {
            query: rank_distance(ranking(run[query]), relevant)
            for query, grades in everywhere.items()
            if len(relevant := {d for d, g in grades.items() if g >= 1}) > 1
        }
    return Multilingual(pairs, in_pool, distance)


def _means(values: Sequence[ByQuery]) -> dict[str, float]:
    queries = dict.fromkeys(query for by_query in values for query in by_query)
    return {
        query: mean({str(i): by_query[query] for i, by_query in enumerate(values) if query in by_query})
        for query in queries
    }
