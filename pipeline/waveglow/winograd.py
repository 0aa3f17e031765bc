"""Dilated convolutions of three taps on a CPU: half the multiplications.

Rows are steps in time. Four rows are made of six products, where taken tap by tap they need
twelve: F(4, 3) of Winograd's minimal filtering, as three products of matrices.

    rows t - d .. t + 4 d  --6 x 6-->  [6, L / 4, C]
                           --six products with the taps' 6 combinations-->  [6, L / 4, C']
                           --4 x 6-->  rows t .. t + 3 d

Source: Lavin and Gray 2015 (arXiv:1509.09308), section 4, for the matrices of F(4, 3).
"""

from __future__ import annotations

import torch
from torch import Tensor

N_TAPS, ROWS_MADE, ROWS_SEEN = 3, 4, 6
OF_ROWS = (  # of the 6 rows seen: what is multiplied
    (4.0, 0.0, -5.0, 0.0, 1.0, 0.0),
    (0.0, -4.0, -4.0, 1.0, 1.0, 0.0),
    (0.0, 4.0, -4.0, -1.0, 1.0, 0.0),
    (0.0, -2.0, -1.0, 2.0, 1.0, 0.0),
    (0.0, 2.0, -1.0, -2.0, 1.0, 0.0),
    (0.0, 4.0, 0.0, -5.0, 0.0, 1.0),
)
OF_TAPS = (  # of the 3 taps: what that is multiplied by
    (1 / 4, 0.0, 0.0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0.0, 0.0, 1.0),
)
OF_PRODUCTS = (  # of the 6 products: the 4 rows made
    (1.0, 1.0, 1.0, 1.0, 1.0, 0.0),
    (0.0, 1.0, -1.0, 2.0, -2.0, 0.0),
    (0.0, 1.0, 1.0, 4.0, 4.0, 0.0),
    (0.0, 1.0, -1.0, 8.0, -8.0, 1.0),
)


def whole_tiles(n_steps: int, dilation: int) -> int:
    """Return how many rows are made where `n_steps` are wanted."""
    return -(-n_steps // (ROWS_MADE * dilation)) * ROWS_MADE * dilation


def add_convolved(made: Tensor, seen: Tensor, weight: Tensor, *, dilation: int) -> None:
    """Add a convolution in place.

    Args:
        made: [L, C'] contiguous, L as `whole_tiles` gives it.
        seen: [>= L + 2 * dilation, C] contiguous: row t is made of those from t to
            t + 2 * dilation.
        weight: [C', C, 3].
        dilation: Rows from tap to tap.
    """
    n_channels = seen.shape[1]
    step = dilation * n_channels
    n_tiles = len(made) // (ROWS_MADE * dilation)
    rows = seen.as_strided((n_tiles, ROWS_SEEN, step), (ROWS_MADE * step, step, 1))
    matrix = seen.new_tensor(OF_ROWS).expand(n_tiles, -1, -1)
    factors = torch.bmm(matrix, rows).transpose(0, 1).reshape(ROWS_SEEN, -1, n_channels)
    taps = torch.tensordot(seen.new_tensor(OF_TAPS), weight, dims=([1], [2]))  # [6, C', C]
    products = torch.bmm(factors, taps.transpose(1, 2)).view(ROWS_SEEN, n_tiles, -1)
    matrix = seen.new_tensor(OF_PRODUCTS).expand(n_tiles, -1, -1)
    made.view(n_tiles, ROWS_MADE, -1).baddbmm_(matrix, products.transpose(0, 1))
