"""TREC runs: what was retrieved for each query, in the order and the file format of trec_eval."""

import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from clir_ot.collections.trec_fields import id_problem, whole_number
from clir_ot.errors import UserError
from clir_ot.files import compressed, read_lines, replacing

_COLUMNS = "qid Q0 docid rank score tag"

Run = dict[str, dict[str, float]]
"""Query id -> document id -> score, higher is better."""

Qrels = dict[str, dict[str, int]]
"""Query id -> document id -> relevance grade; 1 and above is relevant, unless a measure is asked otherwise."""

TrecEval = Literal[9, 10]
"""A version of trec_eval: 9.0 holds scores in single precision, 10.0 in double precision; all else here is alike."""


def ranking(scores: Mapping[str, float], trec_eval: TrecEval = 9) -> list[str]:
    """Document ids in the order in which trec_eval ranks them.

    Scores descend as trec_eval holds them. Version 9 rounds them to single precision: 1 + 1e-9 ties with 1, and
    everything beyond 3.4e38 ties; version 10 does not. Scores of `clir_ot.retrieval.search` are single already, so that
    the two agree on them. Ties are broken by document id, the greater first, compared byte by byte in UTF-8 (Unicode
    code point order is the same order). Ranks in a run file play no part.

    Raises:
        UserError: a score is NaN or infinite; names the document.

    Source: `comp_sim_docno` in trec_eval's `form_res_rels.c`, and `sim` in its `trec_format.h`.
    """
    documents, held = list(scores), _held(scores, trec_eval)
    order = np.argsort(-held)
    ordered = held[order]
    ranked = [documents[index] for index in order.tolist()]
    # Only the groups of equal scores are sorted by id: sorting everything would take twice the time.
    edges = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1], [True]]))
    for group in np.flatnonzero(np.diff(edges) > 1):
        start, end = edges[group : group + 2]
        ranked[start:end] = sorted(ranked[start:end], reverse=True)
    return ranked


def ranks(scores: Mapping[str, float], documents: Iterable[str], trec_eval: TrecEval = 9) -> list[int]:
    """The places, from 1, that some of the documents have in `ranking`; nothing but scores is sorted.

    Raises:
        UserError: see `ranking`.
    """
    held = _held(scores, trec_eval)
    wanted = list(documents)
    own = _held({document: scores[document] for document in wanted}, trec_eval)
    ordered = np.sort(held)
    above = len(ordered) - ordered.searchsorted(own, side="right")
    tied = len(ordered) - ordered.searchsorted(own, side="left") - above > 1
    found: list[int] = (above + 1).tolist()
    if tied.any():
        names = list(scores)
        for i in np.flatnonzero(tied).tolist():
            found[i] += sum(names[j] > wanted[i] for j in np.flatnonzero(held == own[i]).tolist())
    return found


def read_run(path: str | Path) -> Run:
    """Read a TREC run, lines of `qid Q0 docid rank score tag` split at white space; `.gz` is decompressed.

    Column 2, the rank and the tag are not used, as in trec_eval: the scores alone decide the order. The tag may be of
    several words, and lines that begin with `#` are comments, as in trec_eval 10.

    Raises:
        UserError: the file cannot be read or is empty; a line has not six columns, its score is not a finite
            number, or it repeats a document of its query. Names file and line.
    """
    run: Run = {}
    for place, columns in _rows(Path(path)):
        # More of them are words of the tag, unless what should be the rank is none: then an id was of several words.
        if len(columns) < 6 or (len(columns) > 6 and not columns[3].lstrip("+-").isdecimal()):
            raise UserError(f"{place}: {len(columns)} columns, expected 6: {_COLUMNS}")
        query, _, document, _, score = columns[:5]
        scores = run.setdefault(query, {})
        if document in scores:
            raise UserError(f"{place}: document {document!r} is twice in query {query!r}; keep one line")
        scores[document] = _finite(score, place)
    if not run:
        raise UserError(f"{path}:1: the run is empty, expected lines of: {_COLUMNS}")
    return run


def write_run(run: Run, path: str | Path, tag: str) -> None:
    """Write `run` as a TREC run, whole or not at all; compressed where `path` ends in `.gz`.

    Documents go in the order of `ranking`, ranks count from 1, and scores are written so that `read_run`
    gives the same float. Where two scores differ by less than single precision tells apart, the order is
    trec_eval's and not that of the digits. A query without documents leaves no line.

    Raises:
        UserError: there is nothing to write; an id or the tag is empty or holds white space; a score is not
            finite; the place is not writable.
    """
    path = Path(path)
    lines = []
    for query, scores in run.items():
        for rank, document in enumerate(ranking(scores), start=1):
            columns = [query, "Q0", document, str(rank), repr(float(scores[document])), tag]
            line = " ".join(columns)
            if line.split() != columns or id_problem(query, leads=True):
                raise UserError(
                    f"{path}: query {query!r}, document {document!r}, tag {tag!r}: a TREC run cannot hold an empty "
                    "name, one with white space, or one of a query that begins with #; rename it"
                )
            lines.append(f"{line}\n")
    if not lines:
        raise UserError(f"{path}: the run holds no documents, so there is nothing to write")
    content = "".join(lines).encode()
    with replacing(path) as temporary:
        temporary.write_bytes(compressed(content, path))


def read_qrels(path: str | Path) -> Qrels:
    """Read judgements in TREC's format, lines of `qid 0 docid grade`, or in BEIR's, `qid docid grade` with a header.

    Columns are split at white space, lines that begin with `#` are comments; `.gz` is decompressed. A judgement may be
    repeated as it is.

    Raises:
        UserError: the file cannot be read or is empty; a line has neither four columns nor three, its grade is not a
            whole number, or it judges a document of its query otherwise than a line before. Names file and line.
    """
    qrels: Qrels = {}
    for number, (place, columns) in enumerate(_rows(Path(path))):
        if number == 0 and columns[0] == "query-id":
            continue
        try:
            query, document, grade = (columns[0], *columns[2:]) if len(columns) == 4 else columns
            value = whole_number(grade)
        except ValueError:
            raise UserError(
                f"{place}: expected 4 columns: qid 0 docid grade, or 3: qid docid grade; the grade a whole number"
            ) from None
        if qrels.setdefault(query, {}).setdefault(document, value) != value:
            raise UserError(f"{place}: document {document!r} is judged twice for query {query!r}; keep one line")
    if not qrels:
        raise UserError(f"{path}:1: there are no judgements, expected lines of: qid 0 docid grade")
    return qrels


def write_qrels(qrels: Qrels, path: str | Path) -> None:
    """Write judgements as trec_eval and ir_measures read them, whole or not at all."""
    lines = [f"{query} 0 {document} {grade}\n" for query, grades in qrels.items() for document, grade in grades.items()]
    if broken := next(
        (line for line in lines if len(line.split()) != 4 or id_problem(line.split()[0], leads=True)), None
    ):
        raise UserError(
            f"{path}: {broken.strip()!r}: TREC judgements cannot hold a name with white space, or one of a query that "
            "begins with #; rename it"
        )
    with replacing(Path(path)) as temporary:
        temporary.write_text("".join(lines), encoding="utf-8")


def _rows(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Columns of each line that is no comment, with its place."""
    return ((place, line.split()) for place, line in read_lines(path) if not line.startswith("#"))


def _held(scores: Mapping[str, float], trec_eval: TrecEval) -> npt.NDArray[Any]:
    """The scores as a version of trec_eval holds them; see `ranking`."""
    doubles = np.fromiter(scores.values(), np.float64, len(scores))
    finite = np.isfinite(doubles)
    if not finite.all():
        first = int(np.argmin(finite))
        raise UserError(f"document {list(scores)[first]!r} has score {doubles[first]}; scores must be finite")
    with np.errstate(over="ignore"):
        return doubles if trec_eval == 10 else doubles.astype(np.float32)


def _finite(text: str, place: str) -> float:
    try:
        value = math.nan if "_" in text else float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UserError(f"{place}: the score (column 5) is {text!r}, expected a finite number")
    return value
