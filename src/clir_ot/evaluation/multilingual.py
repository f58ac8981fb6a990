"""One encoder on parallel queries and documents of several languages, in the settings of LAReQA."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from clir_ot.collections import Collection
from clir_ot.collections.languages import language_name
from clir_ot.collections.trec import Qrels, ranking
from clir_ot.errors import UserError
from clir_ot.evaluation.consistency import rank_consistency, rank_correlation
from clir_ot.evaluation.language_bias import first_language, peer, rank_distance
from clir_ot.evaluation.metrics import evaluate_run, mean
from clir_ot.evaluation.significance import FEWEST_QUERIES
from clir_ot.models.encoder import TokenEncoder
from clir_ot.progress import Counter, silent
from clir_ot.retrieval.search import all_scores, best
from clir_ot.retrieval.token_index import TokenIndex, encode, pool

MONOLINGUAL, CROSS_LINGUAL, POOL = "monolingual MAP", "cross-lingual MAP", "pool MAP"
RANK_DISTANCE = "rank distance"
OWN_FIRST, RANK_CONSISTENCY, RANK_CORRELATION = "own language first", "RankC", "rank correlation"
EQUAL_RANK = "PEER"
_OF_TWO = (RANK_CONSISTENCY, RANK_CORRELATION)

ByQuery = Mapping[str, float]


@dataclass(frozen=True)
class Multilingual:
    """What an encoder finds of each query's parallel relevant documents.

    Attributes:
        pairs: `{(query language, document language): {query: AP}}` over the documents of one language; without pairs of
            which nothing is judged.
        pool: `{query language: {query: AP}}` over the documents of all languages together, where each translation of a
            relevant document is relevant (the multilingual pool of LAReQA: Roy et al. 2020, section 3).
        rank_distance: `{query language: {query: distance}}` in that pool, see `rank_distance`; the mean over groups of
            translations of one document where a query has several.
        first: `{query language: {query: language}}`: that of the relevant document which is ranked best there, of those
            that are translations of each other; of queries with one in their own language, which could be first.
        consistency, correlation: `{(query language, other): {query: value}}`, each pair of languages once: RankC and
            Spearman's correlation of the two rankings of the pool.
        equal_rank: `{query language: {query: PEER}}` in the pool, of queries with relevant documents in several
            languages and several in one: else PEER is the same for all rankings. Mostly of few queries, then.
    """

    pairs: Mapping[tuple[str, str], ByQuery]
    pool: Mapping[str, ByQuery]
    rank_distance: Mapping[str, ByQuery]
    first: Mapping[str, Mapping[str, str]]
    consistency: Mapping[tuple[str, str], ByQuery]
    correlation: Mapping[tuple[str, str], ByQuery]
    equal_rank: Mapping[str, ByQuery]

    def cells(self) -> dict[str, dict[str, ByQuery]]:
        """`{setting: {languages: {query: value}}}`, languages as `yo>en` (queries and documents) or `yo` (the pool).

        The mean of a setting is the macro average over its cells. A setting that is defined for few of the queries
        alone is left out, see `left_out`.
        """
        few = self._few
        return {name: cells for name, cells in self._all_cells().items() if name not in few}

    def macro_means(self) -> dict[str, float]:
        """`{setting: mean}`, each language, or pair of languages, weighing the same."""
        return {name: _macro(cells.values()) for name, cells in self.cells().items()}

    def means(self, language: str) -> dict[str, float]:
        """`{setting: mean}` of one query language; across languages, over the languages of documents."""
        return {name: _macro(cells) for name, cells in self._cells_of(language).items()}

    def counts(self, language: str) -> dict[str, int]:
        """`{setting: different queries}` that the means of a language are over."""
        return {name: count_queries(cells) for name, cells in self._cells_of(language).items()}

    def left_out(self) -> list[str]:
        """A note on each setting that is defined for too few queries to say anything."""
        return [
            f"{name}: defined for {count} of {len(self._queries)} queries, fewer than {FEWEST_QUERIES}, and left out"
            for name, count in self._few.items()
        ]

    def _cells_of(self, language: str) -> dict[str, list[ByQuery]]:
        """Settings that a query language has cells of."""
        # RankC and the correlation are of two query languages.
        found = {
            name: [
                values
                for pair, values in cells.items()
                if language in (pair.split(">") if name in _OF_TWO else pair.split(">")[:1])
            ]
            for name, cells in self.cells().items()
        }
        return {name: cells for name, cells in found.items() if cells}

    @property
    def _queries(self) -> set[str]:
        return {query for values in self.pairs.values() for query in values}

    @cached_property
    def _few(self) -> dict[str, int]:
        counts = {name: count_queries(cells.values()) for name, cells in self._all_cells().items()}
        return {name: n for name, n in counts.items() if n < min(FEWEST_QUERIES, len(self._queries))}

    def _all_cells(self) -> dict[str, dict[str, ByQuery]]:
        pairs = {f"{queries}>{documents}": values for (queries, documents), values in self.pairs.items()}
        within = {pair for pair in pairs if len(set(pair.split(">"))) == 1}
        consistency, correlation = (
            {f"{a}>{b}": values for (a, b), values in found.items() if values}
            for found in (self.consistency, self.correlation)
        )
        return {
            MONOLINGUAL: {pair: values for pair, values in pairs.items() if pair in within},
            CROSS_LINGUAL: {pair: values for pair, values in pairs.items() if pair not in within},
            POOL: dict(self.pool),
            RANK_DISTANCE: {language: values for language, values in self.rank_distance.items() if values},
            OWN_FIRST: {language: self._own_first(language) for language, values in self.first.items() if values},
            RANK_CONSISTENCY: consistency,
            RANK_CORRELATION: correlation,
            EQUAL_RANK: {language: values for language, values in self.equal_rank.items() if values},
        }

    def heat_map(self) -> dict[str, dict[str, float]]:
        """`{query language: {document language: MAP}}`."""
        return _table({pair: mean(values) for pair, values in self.pairs.items()})

    def first_shares(self) -> dict[str, dict[str, float]]:
        """`{query language: {document language: share of the queries of `first` whose best document it has}}`."""
        return _table(
            {
                (language, other): mean({query: float(first == other) for query, first in found.items()})
                for language, found in self.first.items()
                for other in self.first
                if found
            }
        )

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
            if any(judged.values()):  # a language may have a part of the documents alone, and none that is judged
                found = evaluate_run(best(part, queries.ids, index.ids), judged, ["MAP"])
                pairs[language, other] = found["MAP"]
        run = best(scores, queries.ids, pooled.ids, len(pooled.ids))
        in_pool[language] = evaluate_run(run, everywhere, ["MAP"])["MAP"]
        rankings[language] = {query: ranking(found) for query, found in run.items()}
        relevant = {query: {d for d, g in grades.items() if g >= 1} for query, grades in everywhere.items()}
        parallel = {query: groups for query, documents in relevant.items() if (groups := translations(documents))}
        distance[language] = {
            query: sum(rank_distance(rankings[language][query], group) for group in groups) / len(groups)
            for query, groups in parallel.items()
        }
        first[language] = {
            query: first_language(rankings[language][query], languages_of)
            for query, groups in parallel.items()
            if language in (languages_of := _languages_of(set().union(*groups))).values()
        }
        equal[language] = {
            query: peer(rankings[language][query], {d: everywhere[query][d] for d in documents}, languages_of)
            for query, documents in relevant.items()
            if len(documents) > len({*(languages_of := _languages_of(documents)).values()}) > 1
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


def count_queries(cells: Iterable[ByQuery]) -> int:
    """How many different queries some cells are over."""
    return len({query for values in cells for query in values})


def _languages_of(documents: Iterable[str]) -> dict[str, str]:
    """Of names as `yo:d1`."""
    return {document: document.split(":", 1)[0] for document in documents}


def translations(documents: Iterable[str]) -> list[set[str]]:
    """Groups of two or more documents that are translations of each other, from names as `yo:d1`.

    Those that share an `_id`. Where none do, all of them, if each language has one (LAReQA's sentences have ids of
    their language's own); else nobody knows which belong together.
    """
    documents = set(documents)
    groups: dict[str, set[str]] = {}
    for document in documents:
        groups.setdefault(document.split(":", 1)[1], set()).add(document)
    if len(groups) == len(documents) == len({*_languages_of(documents).values()}):
        groups = {"": documents}
    return [group for group in groups.values() if len(group) > 1]


def _macro(cells: Iterable[ByQuery]) -> float:
    means = [mean(values) for values in cells]
    return sum(means) / len(means)
