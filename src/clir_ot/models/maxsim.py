"""Late interaction: the score of a query and a document from their token vectors.

Q queries, B documents, Lq and Ld their padded lengths, D dimensions.
"""

import torch
from torch.utils.checkpoint import checkpoint

# Bounds the (queries, B, Lq, Ld) similarities held at a time, for a gradient too: 2^24 float32 values are 64 MiB.
_MAX_SIMILARITIES = 2**24


def maxsim(
    queries: torch.Tensor, documents: torch.Tensor, query_mask: torch.Tensor, document_mask: torch.Tensor
) -> torch.Tensor:
    """MaxSim averaged over query tokens (Khattab & Zaharia 2020, eq. 3, divided by the number of query tokens).

        score(q, d) = 1/|q| * sum over i in q of (max over j in d of <q_i, d_j>)

    The average instead of the paper's sum keeps one temperature right for short and long queries; the order of
    documents is the same.

    Args:
        queries: (Q, Lq, D), token vectors, normalised.
        documents: (B, Ld, D), likewise.
        query_mask: (Q, Lq) bool, True on real tokens; at least one a row.
        document_mask: (B, Ld) bool, likewise.

    Returns:
        (Q, B) float32, whatever autocast says.
    """
    step = max(1, _MAX_SIMILARITIES // max(1, documents.shape[0] * documents.shape[1] * queries.shape[1]))
    blocks = list(zip(queries.split(step), query_mask.split(step), strict=True))
    if len(blocks) == 1:
        return _maxsim(queries, documents, query_mask, document_mask)
    return torch.cat([_once_more(part, documents, part_mask, document_mask) for part, part_mask in blocks])


def _once_more(
    queries: torch.Tensor, documents: torch.Tensor, query_mask: torch.Tensor, document_mask: torch.Tensor
) -> torch.Tensor:
    """`_maxsim`, which backwards is computed once more: kept for that, all blocks' similarities would be unbounded."""
    scores: torch.Tensor = checkpoint(
        _maxsim, queries, documents, query_mask, document_mask, use_reentrant=False, preserve_rng_state=False
    )
    return scores


def _maxsim(
    queries: torch.Tensor, documents: torch.Tensor, query_mask: torch.Tensor, document_mask: torch.Tensor
) -> torch.Tensor:
    with torch.autocast(queries.device.type, enabled=False):
        similarity = torch.einsum("qid,bjd->qbij", queries.float(), documents.float())  # (Q, B, Lq, Ld)
        # -inf, not a product with 0: a pad worth 0 would beat every real token of negative similarity.
        similarity = similarity.masked_fill_(~document_mask[None, :, None, :], -torch.inf)
        best = similarity.amax(dim=-1)  # (Q, B, Lq)
        best = best.masked_fill(~query_mask[:, None, :], 0.0)
        return best.sum(dim=-1) / query_mask.sum(dim=-1).float()[:, None]  # (Q, B)
