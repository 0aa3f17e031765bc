"""Dilated convolutions of three taps on a CPU: half the multiplications.

Rows are steps in time. Four rows are made of six products, where taken tap by tap they need
twelve: F(4, 3) of Winograd's minimal filtering, as three products of matrices.

    rows t - d .. t + 4 d  --6 x 6-->  [6, L / 4, C]
                           --six products with the taps' 6 combinations-->  [6, L / 4, C']
                           --4 x 6-->  rows t .. t + 3 d

Source: Lavin and Gray 2015 (arXiv:1509.09308), section 4, for the matrices of F(4, 3).
"""

from __future__ import annotations

from functools import cache

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


def combined_taps(weight: Tensor) -> Tensor:
    """Return the combinations [6, ..., C', C] of the three taps of weights [..., C', C, 3]."""
    combined = weight.new_tensor(OF_TAPS) @ weight.reshape(-1, N_TAPS).T
    return combined.view(ROWS_SEEN, *weight.shape[:-1])


def add_convolved(made: Tensor, seen: Tensor, taps: Tensor, *, dilation: int) -> None:
    """Add a convolution in place.

    Args:
        made: [L, C'] contiguous, L a multiple of `ROWS_MADE * dilation`.
        seen: [>= L + 2 * dilation, C] contiguous: row t is made of those from t to
            t + 2 * dilation.
        taps: [6, C', C], as `combined_taps` has them.
        dilation: Rows from tap to tap.
    """
    n_channels = seen.shape[1]
    step = dilation * n_channels
    n_tiles = len(made) // (ROWS_MADE * dilation)
    of_rows, of_products = _matrices(seen.dtype)
    rows = seen.as_strided((n_tiles, ROWS_SEEN, step), (ROWS_MADE * step, step, 1))
    factors = torch.bmm(of_rows.expand(n_tiles, -1, -1), rows)
    factors = factors.transpose(0, 1).reshape(ROWS_SEEN, -1, n_channels)
    products = torch.bmm(factors, taps.transpose(1, 2)).view(ROWS_SEEN, n_tiles, -1)
    of_products = of_products.expand(n_tiles, -1, -1)
    made.view(n_tiles, ROWS_MADE, -1).baddbmm_(of_products, products.transpose(0, 1))


@cache
def _matrices(dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    return torch.tensor(OF_ROWS, dtype=dtype), torch.tensor(OF_PRODUCTS, dtype=dtype)
