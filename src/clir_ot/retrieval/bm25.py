"""BM25: words in common, weighted by how rare they are; a baseline, and a first stage to re-rank."""

import unicodedata
from collections.abc import Mapping

import bm25s
import numpy as np
import regex

from clir_ot.collections.trec import Run, ranking

# Scripts written without spaces between words: every letter, with its marks, is a word, as Lucene's StandardTokenizer
# has it for Han. Everywhere else a word is a run of letters, digits and marks.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
_WORD = regex.compile(rf"[[{_UNSPACED}]&&\w]\p{{M}}*|[\w--[{_UNSPACED}]]+", regex.V1)
_INVISIBLE = regex.compile(r"\p{Cf}+")


def words(text: str) -> list[str]:
    r"""The words of a text in any script, caseless.

    Python's own `\w+` cuts Hindi and Marathi words at every vowel sign, which is a mark and no letter, and Yoruba words
    at every tone mark that has no precomposed form (`ẹ́`); that of `regex` counts marks as parts of words (Unicode UTS
    18). Composed and decomposed spellings are the same word (NFC), and so are those with and without invisible
    characters (soft hyphens, the joiners in Marathi and Persian words). There is no stop word list, for most languages
    have none, and no stemming.
    """
    found: list[str] = _WORD.findall(unicodedata.normalize("NFC", _INVISIBLE.sub("", text.casefold())))
    return found


def bm25_search(
    queries: Mapping[str, str], documents: Mapping[str, str], depth: int = 1000, *, k1: float = 0.9, b: float = 0.4
) -> Run:
    """The `depth` best documents of every query by BM25 in Lucene's form, exact (Kamphuis et al., ECIR 2020).

        score(q, d) = sum over words w of q of
            ln(1 + (N - n_w + 0.5) / (n_w + 0.5)) * f_wd / (f_wd + k1 * (1 - b + b * |d| / mean length))

    N documents, n_w of them with the word, f_wd times in this one; a word that is twice in the query counts twice.

    Args:
        queries: `{_id: text}`, as they are: untranslated ones find names and numbers.
        documents: `{_id: text}`.
        depth: documents a query at most.
        k1, b: saturation of term frequency and weight of length. The defaults are Anserini's, with which the BM25
            figures of BEIR and MIRACL were made, not bm25s' 1.5 and 0.75.

    Returns:
        `{query: {document: score}}`, best first, ties in the order of `clir_ot.collections.trec.ranking`. Documents
        without a word of the query are not retrieved: a query without any known word gets `{}`.
    """
    split = [words(text) for text in documents.values()]
    if not any(split):
        return {query: {} for query in queries}
    index = bm25s.BM25(k1=k1, b=b, method="lucene")
    index.index(split, show_progress=False)
    names = list(documents)
    return {query: _best(index, words(text), names, depth) for query, text in queries.items()}


def _best(index: bm25s.BM25, query: list[str], documents: list[str], depth: int) -> dict[str, float]:
    known = index.get_tokens_ids(query)
    scores = index.get_scores_from_ids(known)
    found = np.flatnonzero(scores)
    if len(found) > depth:
        # All that tie with the last place, so that which of them stay does not depend on a sorting algorithm.
        found = found[scores[found] >= np.partition(scores[found], -depth)[-depth]]
    retrieved = {documents[d]: float(scores[d]) for d in found.tolist()}
    return {document: retrieved[document] for document in ranking(retrieved)[:depth]}
