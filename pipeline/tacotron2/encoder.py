"""Tacotron 2's encoder: symbols to what the decoder attends to."""

from __future__ import annotations

from torch import Tensor, nn

from pipeline.tacotron2.config import Tacotron2Config
from pipeline.tacotron2.convolutions import NormedConvolution, is_within


class Encoder(nn.Module):
    """Convolutions, then a bidirectional LSTM (arXiv:1712.05884, section 2.2)."""

    def __init__(self, config: Tacotron2Config) -> None:
        super().__init__()
        size = config.embedding_size
        self.convolutions = nn.ModuleList(
            NormedConvolution(size, size, config.encoder_kernel)
            for _ in range(config.encoder_layers)
        )
        self.lstm = nn.LSTM(size, size // 2, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(config.convolution_dropout)

    def forward(self, embedded: Tensor, symbol_lengths: Tensor) -> Tensor:
        """Encode [B, N, D] to [B, N, D]; zero beyond each length."""
        n_symbols = embedded.shape[1]
        is_valid = is_within(symbol_lengths, n_symbols)[:, None].to(embedded.device)  # [B, 1, N]
        x = embedded.transpose(1, 2)  # [B, D, N]
        for convolution in self.convolutions:
            x = self.dropout(convolution(x, is_valid).relu())
        packed = nn.utils.rnn.pack_padded_sequence(
            x.transpose(1, 2), symbol_lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        output: Tensor = nn.utils.rnn.pad_packed_sequence(
            self.lstm(packed)[0], batch_first=True, total_length=n_symbols
        )[0]
        return output
