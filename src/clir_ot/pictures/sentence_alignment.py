"""Which token of a sentence moves to which token of its translation, for two trained encoders.

N English tokens (teacher), M foreign tokens (student).
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, Unpack

import numpy as np
import torch

from clir_ot.collections.content import has_content
from clir_ot.data.batches import Tokens
from clir_ot.data.tokenizer import TextTokenizer
from clir_ot.errors import UserError
from clir_ot.models.encoder import TokenEncoder
from clir_ot.models.maxsim import maxsim
from clir_ot.models.transport import SolverOptions, TransportResult, solve_transport, token_cost

_DOTTED_CIRCLE, _OPEN_BOX = "\u25cc", "\u2423"


class Pair(NamedTuple):
    """An English token, a foreign one, the mass between them as a share of the plan's, and their cosine."""

    english: str
    foreign: str
    share: float
    cosine: float


@dataclass(frozen=True)
class SentenceAlignment:
    """A transport plan with the names of its rows and columns, all on the CPU.

    Attributes:
        plan: (N, M) float32, as solved: the masses sum to 1 unless transport was unbalanced.
        cosine: (N, M) float32, of the token vectors.
        english, foreign: N and M labels, see `token_labels`.
        value: <P, C> for C = 1 - cosine.
        residual: the greater of the two L1 distances from the marginals, before rounding: how far from converged.
        similarity: MaxSim of the foreign sentence as a query over the English one, all tokens of both.
    """

    plan: np.ndarray
    cosine: np.ndarray
    english: list[str]
    foreign: list[str]
    value: float
    residual: float
    similarity: float

    @property
    def entropy(self) -> float:
        """`plan_entropy` of the plan."""
        return plan_entropy(self.plan)

    def pairs(self) -> list[Pair]:
        """All pairs with mass, largest first; the shares sum to 1."""
        shares = self.plan / self.plan.sum()
        order = np.argsort(-shares, axis=None, kind="stable")
        cells = [divmod(int(cell), len(self.foreign)) for cell in order if shares.flat[cell] > 0]
        return [Pair(self.english[i], self.foreign[j], float(shares[i, j]), float(self.cosine[i, j])) for i, j in cells]


def plan_entropy(plan: np.ndarray) -> float:
    """How blurred a plan is, 0 to 1: -sum over cells of p_ij log p_ij / log(N M), p the plan divided by its mass.

    1 where all N M cells hold the same, 0 where one holds everything. Marginals put a floor under it: a one-to-one
    plan of N tokens has log N / log N^2 = 1/2, so compare plans of the same sentences.
    """
    p = plan[plan > 0].astype(np.float64)
    p /= p.sum()
    return float(-(p * np.log(p)).sum() / np.log(plan.size)) if plan.size > 1 else 0.0


@torch.inference_mode()
def align(
    teacher: TokenEncoder,
    student: TokenEncoder,
    english: str,
    foreign: str,
    *,
    marginals: Literal["content", "uniform"] = "content",
    **options: Unpack[SolverOptions],
) -> SentenceAlignment:
    """Solve the transport between two sentences, each read as a query by its own encoder and tokenizer.

    Args:
        marginals: `content`: uniform over the tokens of the text itself; `uniform`: over all, special and prefix too.
        **options: see `SolverOptions`.

    Raises:
        UserError: a sentence without tokens; token vectors of different sizes; an option out of range, or not the
            solver's.
    """
    (rows, h), (columns, g) = _encode(teacher, english), _encode(student, foreign)  # (1, N, D), (1, M, D)
    if h.shape[2] != g.shape[2]:
        raise UserError(
            f"the teacher's token vectors have {h.shape[2]} dimensions, the student's {g.shape[2]}; "
            "a student is compared with the teacher it was distilled from"
        )
    masks = (rows.content, columns.content) if marginals == "content" else (rows.mask, columns.mask)
    cost = token_cost(h, g, *masks)
    try:
        result = solve_transport(cost, *masks, **options)
    except ValueError as error:
        raise UserError(str(error)) from error
    similarity = maxsim(g, h, columns.mask, rows.mask)
    a, b = masks[0][0], masks[1][0]
    return SentenceAlignment(
        plan=result.plan[0][a][:, b].numpy(),
        cosine=(1 - cost[0][a][:, b]).numpy(),
        english=token_labels(teacher.tokenizer, rows.input_ids[0], a),
        foreign=token_labels(student.tokenizer, columns.input_ids[0], b),
        value=float(result.value[0]),
        residual=float(residuals(result)[0]),
        similarity=float(similarity[0, 0]),
    )


def residuals(result: TransportResult) -> torch.Tensor:
    """(B,) the greater of a pair's two distances from the marginals."""
    return torch.maximum(result.residual_a, result.residual_b)


def load_encoder(name: str | Path) -> TokenEncoder:
    """A trained encoder of token vectors, for looking at.

    Raises:
        UserError: see `TokenEncoder.from_pretrained`; one with one vector a text.
    """
    encoder = TokenEncoder.from_pretrained(name).eval()
    if encoder.scoring == "dense":
        raise UserError(f"{name}: has one vector a text (scoring dense), so no token moves; give one of scoring late")
    return encoder


def cut_note(tokenizer: TextTokenizer, text: str) -> str | None:
    """A line that says so if a sentence is longer than the encoder reads."""
    length = len(tokenizer.tokenizer(tokenizer.query_prefix + text, verbose=False).input_ids)
    longest = tokenizer.query_length
    return f"cut at {longest} of {length} tokens: {text[:40]}..." if length > longest else None


def token_labels(tokenizer: TextTokenizer, ids: torch.Tensor, shown: torch.Tensor) -> list[str]:
    """What to write beside the tokens of one text, (N,) ids, where `shown`, (N,) bool.

    The tokenizer's own marks (SentencePiece's `▁` before a word, WordPiece's `##` within one, byte-level BPE's letters
    for bytes) become one: a piece that goes on with a word has a hyphen before it, `-ing`. A space that is a piece of
    its own is `␣`; a lone diacritic stands on a dotted circle. Composed (NFC), so that `ẹ́` is drawn as few glyphs.
    """
    hf = tokenizer.tokenizer
    pieces: list[str] = hf.convert_ids_to_tokens(ids.tolist())
    special = set(hf.all_special_ids)
    if type(hf.backend_tokenizer.decoder).__name__ == "ByteLevel":
        pieces = [hf.convert_tokens_to_string([piece]).replace(" ", "▁") for piece in pieces]
    spaced = any(piece.startswith("▁") for piece in pieces)
    labels, inside = [], False
    for piece, number in zip(pieces, ids.tolist(), strict=True):
        if number in special:
            labels.append(piece)
            inside = False
            continue
        goes_on = piece.startswith("##") or (spaced and inside and not piece.startswith("▁"))
        labels.append(_readable(piece.removeprefix("##").replace("▁", " ").strip(), goes_on))
        inside = True
    return [label for label, show in zip(labels, shown.tolist(), strict=True) if show]


def _readable(text: str, goes_on: bool) -> str:
    text = unicodedata.normalize("NFC", text) or _OPEN_BOX
    text = "".join(f"U+{ord(c):04X}" if unicodedata.category(c) in ("Cc", "Co", "Cn", "Cs") else c for c in text)
    if unicodedata.category(text[0]).startswith("M"):
        text = _DOTTED_CIRCLE + text
    return f"-{text}" if goes_on and any(unicodedata.category(c)[0] in "LMN" for c in text) else text


def check_sentences(*sentences: str) -> None:
    """See that there is something to align.

    Raises:
        UserError: a sentence has no character that can be seen.
    """
    for sentence in sentences:
        if not has_content(sentence):
            raise UserError(f"{sentence!r} is an empty sentence; give one in English, then its translation")


def _encode(encoder: TokenEncoder, text: str) -> tuple[Tokens, torch.Tensor]:
    tokens = encoder.tokenizer.queries([text])
    if not tokens.content.any():
        raise UserError(f"{text!r} has no token that the encoder knows; give another sentence")
    return tokens, encoder(tokens)


def render(alignment: SentenceAlignment, heads: Sequence[str], least: float = 0.005) -> str:
    """The pairs as a table, largest first, then what the plan amounts to.

    Args:
        heads: names of the two sides.
        least: pairs with a smaller share are counted in one line.
    """
    pairs = alignment.pairs()
    shown = [pair for pair in pairs if pair.share >= least]
    wide = max(_width(text) for text in (heads[0], *(pair.english for pair in shown)))
    lines = [f"{'share':>7}  {'cosine':>6}  {_pad(heads[0], wide)}  {heads[1]}"]
    lines += [f"{p.share:7.1%}  {p.cosine:6.3f}  {_pad(p.english, wide)}  {p.foreign}" for p in shown]
    if rest := pairs[len(shown) :]:
        lines.append(f"{sum(pair.share for pair in rest):7.1%}  {'':6}  in {len(rest)} more pairs")
    facts: dict[str, tuple[Any, str]] = {
        "transport cost": (alignment.value, "<P, C>, C = 1 - cosine"),
        "plan entropy": (alignment.entropy, "1: all pairs alike, 0: one pair"),
        "marginal residual": (alignment.residual, "0: converged"),
        "MaxSim": (alignment.similarity, f"of the {heads[1]} tokens over the {heads[0]} ones"),
    }
    return "\n".join([*lines, "", *(f"{name:18} {value:7.4f}  {what}" for name, (value, what) in facts.items())])


def _width(text: str) -> int:
    """Columns of a terminal: marks take none, East Asian letters two."""
    marks = ("Mn", "Me", "Cf")
    return sum(0 if unicodedata.category(c) in marks else 1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


def _pad(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
