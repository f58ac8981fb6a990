"""How a ranking is held against judgements: from which grade on, of which documents, in which trec_eval's order."""

from collections.abc import Mapping
from dataclasses import dataclass

from clir_ot.collections.trec import Qrels, TrecEval
from clir_ot.errors import UserError


@dataclass(frozen=True)
class Judging:
    """What a measure's values depend on beside ranking and judgements; the defaults are trec_eval 9's.

    Attributes:
        relevance_level: the least grade of a relevant document, 1 or more: trec_eval's `-l`. TREC's Deep Learning
            tracks want 2. nDCG, whose gains are the grades, counts every positive one whatever this is, as in
            trec_eval.
        ignore_identical_ids: whether documents whose id is their query's are taken out of rankings first, as BEIR's own
            evaluation does: queries of its ArguAna are documents.
        trec_eval: the version whose order of ties is taken, see `clir_ot.collections.trec.ranking`.

    Raises:
        UserError: a level below 1, at which documents judged not relevant would count.
    """

    relevance_level: int = 1
    ignore_identical_ids: bool = False
    trec_eval: TrecEval = 9

    def __post_init__(self) -> None:
        if self.relevance_level < 1:
            raise UserError(
                f"the relevance level is {self.relevance_level}; give the least grade that counts, 1 or more"
            )

    def of_ranking(self, query: str, scores: Mapping[str, float]) -> Mapping[str, float]:
        """What is judged of a query's ranking."""
        if not self.ignore_identical_ids or query not in scores:
            return scores
        return {document: score for document, score in scores.items() if document != query}

    def options(self) -> list[str]:
        """What a command line asks for it with; nothing where all is as ever."""
        found = []
        if self.relevance_level != USUAL.relevance_level:
            found += ["--relevance-level", str(self.relevance_level)]
        if self.ignore_identical_ids:
            found.append("--ignore-identical-ids")
        if self.trec_eval != USUAL.trec_eval:
            found += ["--trec-eval", str(self.trec_eval)]
        return found

    def notes(self) -> list[str]:
        """What is to be said beside figures; nothing where all is as ever."""
        found = []
        if self.relevance_level != USUAL.relevance_level:
            found.append(f"relevant is grade {self.relevance_level} and above (for nDCG every positive grade)")
        if self.ignore_identical_ids:
            found.append("documents with their query's id are left out of rankings, as in BEIR")
        if self.trec_eval != USUAL.trec_eval:
            found.append(f"ties are those of trec_eval {self.trec_eval}")
        return found

    def unanswerable(self, qrels: Qrels) -> list[str]:
        """A note on judged queries without a relevant document, which no ranking could answer; or none."""
        queries = [q for q, grades in qrels.items() if grades and max(grades.values()) < self.relevance_level]
        if not queries:
            return []
        return [
            f"{len(queries)} of {len(qrels)} judged queries, {queries[0]!r} first, have no document of grade "
            f"{self.relevance_level} or above: they count as 0, as in trec_eval"
            + (", but in nDCG" if self.relevance_level > 1 else "")
        ]


USUAL = Judging()
