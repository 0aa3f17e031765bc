"""Convolutions that keep the length: one product of matrices is what torch's convolution says."""

from __future__ import annotations

import pytest
import torch

from pipeline.same_convolution import SameConvolution


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("kernel", "dilation"), [(1, 1), (3, 1), (3, 8), (5, 2), (31, 1)])
@pytest.mark.parametrize("shape", [(1, 7, 40), (3, 7, 40), (2, 7, 1)])
def test_it_is_torchs_convolution(
    kernel: int, dilation: int, shape: tuple[int, int, int], bias: bool
) -> None:
    convolution = SameConvolution(7, 11, kernel, dilation=dilation, bias=bias)
    x = torch.randn(shape)
    expected = convolution(x)  # with gradients it is torch's own
    with torch.no_grad():
        seen = [convolution(x), convolution(x.transpose(1, 2).contiguous().transpose(1, 2))]
    assert expected.grad_fn is not None
    for result in seen:
        assert result.shape == (shape[0], 11, shape[2])
        torch.testing.assert_close(result, expected.detach(), atol=1e-5, rtol=1e-5)


def test_half_precision_stays_torchs() -> None:
    convolution = SameConvolution(8, 8, 3)
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        assert convolution(torch.randn(1, 8, 20)).dtype == torch.bfloat16


def test_an_even_kernel_is_refused() -> None:
    with pytest.raises(ValueError, match="kernel is 4, expected an odd number"):
        SameConvolution(2, 2, 4)
