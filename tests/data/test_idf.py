import math

import torch

from clir_ot.data.idf import inverse_document_frequencies


def test_a_piece_counts_once_a_sentence() -> None:
    table = inverse_document_frequencies([[1, 1, 2], [2], [2, 3]], 5)
    expected = [math.log(4 / (1 + count)) + 1 for count in (0, 1, 3, 1, 0)]
    assert torch.allclose(table, torch.tensor(expected))
