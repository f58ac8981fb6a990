"""One encoder on parallel queries and documents of several languages, in the settings of LAReQA."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from clir_ot.collections import Collection
from clir_ot.collections.languages import language_name
from clir_ot.collections.trec import Qrels, ranking
from clir_ot.errors import UserError
from clir_ot.evaluation.consistency import rank_consistency, rank_correlation
from clir_ot.evaluation.language_bias import first_language, peer, rank_distance
from clir_ot.evaluation.metrics import evaluate_run, mean
from clir_ot.models.encoder import TokenEncoder
from clir_ot.progress import Counter, silent
from clir_ot.retrieval.search import all_scores, best
from clir_ot.retrieval.token_index import TokenIndex, encode, pool

MONOLINGUAL, CROSS_LINGUAL, POOL = "monolingual MAP", "cross-lingual MAP", "pool MAP"
RANK_DISTANCE = "rank distance"
OWN_FIRST, RANK_CONSISTENCY, RANK_CORRELATION = "own language first", "RankC", "MRC"
EQUAL_RANK = "PEER"

ByQuery = Mapping[str, float]


@dataclass(frozen=True)
class Multilingual:
    """What an encoder finds of each query's parallel relevant documents.

    Attributes:
        pairs: `{(query language, document language): {query: AP}}` over the documents of one language.
        pool: `{query language: {query: AP}}` over the documents of all languages together, where each translation of a
            relevant document is relevant (the multilingual pool of LAReQA: Roy et al. 2020, section 3).
        rank_distance: `{query language: {query: distance}}` in that pool, see `rank_distance`.
        first: `{query language: {query: language}}`: that of the relevant document which is ranked best there.
        consistency, correlation: `{(query language, other): {query: value}}`, each pair of languages once: RankC and
            Spearman's correlation of the two rankings of the pool.
        equal_rank: `{query language: {query: PEER}}` in the pool, of queries with several relevant documents in some
            language: with one in each, PEER is the same for all rankings. Mostly empty, then, and left out of tables.
    """

    pairs: Mapping[tuple[str, str], ByQuery]
    pool: Mapping[str, ByQuery]
    rank_distance: Mapping[str, ByQuery]
    first: Mapping[str, Mapping[str, str]]
    consistency: Mapping[tuple[str, str], ByQuery]
    correlation: Mapping[tuple[str, str], ByQuery]
    equal_rank: Mapping[str, ByQuery]

    def by_query(self) -> dict[str, dict[str, float]]:
        """`{setting: {query: its mean over languages}}`, over those of its languages that have it."""
        settings = {
            MONOLINGUAL: [values for (queries, documents), values in self.pairs.items() if queries == documents],
            CROSS_LINGUAL: [values for (queries, documents), values in self.pairs.items() if queries != documents],
            POOL: list(self.pool.values()),
            RANK_DISTANCE: list(self.rank_distance.values()),
            OWN_FIRST: [self._own_first(language) for language in self.first],
            RANK_CONSISTENCY: list(self.consistency.values()),
            RANK_CORRELATION: list(self.correlation.values()),
            **({EQUAL_RANK: list(self.equal_rank.values())} if self._tells_equal_rank else {}),
        }
        return {name: _means(values) for name, values in settings.items()}

    def means(self, language: str) -> dict[str, float]:
        """`{setting: mean}` of one query language; across languages, over the languages of documents."""
        cross = [mean(values) for (queries, other), values in self.pairs.items() if queries == language != other]
        consistency, correlation = (
            [mean(values) for pair, values in found.items() if language in pair]
            for found in (self.consistency, self.correlation)
        )
        return {
            MONOLINGUAL: mean(self.pairs[language, language]),
            CROSS_LINGUAL: sum(cross) / len(cross),
            POOL: mean(self.pool[language]),
            RANK_DISTANCE: mean(self.rank_distance[language]),
            OWN_FIRST: mean(self._own_first(language)),
            RANK_CONSISTENCY: sum(consistency) / len(consistency),
            RANK_CORRELATION: sum(correlation) / len(correlation),
            **({EQUAL_RANK: mean(self.equal_rank[language])} if self._tells_equal_rank else {}),
        }

    def heat_map(self) -> dict[str, dict[str, float]]:
        """`{query language: {document language: MAP}}`."""
        return _table({pair: mean(values) for pair, values in self.pairs.items()})

    def first_shares(self) -> dict[str, dict[str, float]]:
        """`{query language: {document language: share of queries whose best relevant document it has}}`."""
        return _table(
            {
                (language, other): mean({query: float(first == other) for query, first in found.items()})
                for language, found in self.first.items()
                for other in self.first
            }
        )

    @property
    def _tells_equal_rank(self) -> bool:
        return all(self.equal_rank.values())

    def _own_first(self, language: str) -> ByQuery:
        return {query: float(first == language) for query, first in self.first[language].items()}


def evaluate_languages(
    encoder: TokenEncoder,
    collection: Collection,
    languages: Sequence[str],
    split: str,
    encoded: Mapping[str, TokenIndex] | None = None,
    progress: Callable[[str], None] = lambda line: None,
    counter: Counter = silent,
) -> Multilingual:
    """Search all languages' documents with all languages' judged queries.

    Args:
        encoder: of queries and documents.
        collection: whose translated documents share their `_id`, or whose judgements name every language's documents.
        languages: two or more.
        split: of the judged queries.
        encoded: documents of some of the languages, encoded already.
        progress: called with a line for each language whose documents are encoded.
        counter: of the documents and queries of a language.

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
        documents = collection.documents(language)
        done = counter("documents encoded", len(documents))
        indexes[language] = encode(encoder, encoder.tokenizer.documents, documents, done)
    pooled = pool(indexes)
    pairs, in_pool, distance, first, equal = {}, {}, {}, {}, {}
    rankings: dict[str, dict[str, list[str]]] = {}
    for language in languages:
        texts, qrels = collection.judged(split, language, documents=None)
        queries = encode(encoder, encoder.tokenizer.queries, texts, counter("queries encoded", len(texts)))
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
        rankings[language] = {query: ranking(found) for query, found in run.items()}
        relevant = {query: {d for d, g in grades.items() if g >= 1} for query, grades in everywhere.items()}
        parallel = {query: documents for query, documents in relevant.items() if len(documents) > 1}
        distance[language] = {query: rank_distance(rankings[language][query], d) for query, d in parallel.items()}
        first[language] = {
            query: first_language(rankings[language][query], {d: d.split(":")[0] for d in documents})
            for query, documents in parallel.items()
        }
        equal[language] = {
            query: peer(rankings[language][query], grades, {d: d.split(":")[0] for d in grades})
            for query, documents in parallel.items()
            if len(documents) > len({d.split(":")[0] for d in documents})
            for grades in [{d: everywhere[query][d] for d in documents}]
        }
    consistency, correlation = (
        {
            (a, b): {
                query: compare(rankings[a][query], rankings[b][query]) for query in rankings[a] if query in rankings[b]
            }
            for a, b in combinations(languages, 2)
        }
        for compare in (rank_consistency, rank_correlation)
    )
    return Multilingual(pairs, in_pool, distance, first, consistency, correlation, equal)


def _table(values: Mapping[tuple[str, str], float]) -> dict[str, dict[str, float]]:
    rows: dict[str, dict[str, float]] = {}
    for (row, column), value in values.items():
        rows.setdefault(row, {})[column] = value
    return rows


def _means(values: Sequence[ByQuery]) -> dict[str, float]:
    queries = dict.fromkeys(query for by_query in values for query in by_query)
    return {
        query: mean({str(i): by_query[query] for i, by_query in enumerate(values) if query in by_query})
        for query in queries
    }
