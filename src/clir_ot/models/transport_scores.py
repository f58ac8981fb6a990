"""Transport between every sentence and every other, for contrast within a batch.

Q student sentences, B teacher sentences, N teacher tokens, M student tokens, D dimensions.
"""

from typing import Unpack

import torch

from clir_ot.models.transport import Cost, SolverOptions, as_points, cost_of_points, solve_transport


def transport_costs(
    teacher: torch.Tensor,
    student: torch.Tensor,
    mask_a: torch.Tensor,
    mask_b: torch.Tensor,
    *,
    cost: Cost = "cosine",
    **options: Unpack[SolverOptions],
) -> tuple[torch.Tensor, torch.Tensor]:
    """<stopgrad(P*), C> of every student sentence with every teacher sentence: Q times B problems at once.

    Args:
        teacher: (B, N, D) token vectors.
        student: (Q, M, D) token vectors.
        mask_a, mask_b: (B, N), (Q, M) bool.
        cost: as in `token_cost`.
        **options: as in `solve_transport`, whose errors apply; `weights_a` (B, N) and `weights_b` (Q, M).

    Returns:
        (Q, B) costs, at least float32; (Q, B) residuals, the solver's distance from the students' marginals.
    """
    many, queries = len(teacher), len(student)

    def each(tensor: torch.Tensor) -> torch.Tensor:  # (B, ...) -> (Q * B, ...), teacher sentences fastest
        return tensor[None].expand(queries, *tensor.shape).flatten(0, 1)

    def held(tensor: torch.Tensor) -> torch.Tensor:  # (Q, ...) -> (Q * B, ...)
        return tensor[:, None].expand(queries, many, *tensor.shape[1:]).flatten(0, 1)

    if (weights := options.get("weights_a")) is not None:
        options["weights_a"] = each(weights)
    if (weights := options.get("weights_b")) is not None:
        options["weights_b"] = held(weights)
    masks = each(mask_a), held(mask_b)
    # Each sentence is made ready once, not once for every other one: the same costs in half the memory.
    points = each(as_points(teacher, mask_a, cost)), held(as_points(student, mask_b, cost))
    costs = cost_of_points(*points, cost)
    result = solve_transport(costs, *masks, **options)
    return result.value.view(queries, many), result.residual_b.view(queries, many)
