"""What it takes to train Tacotron 2: its losses, the hidden frames, what to show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.data.speech_batches import SpeechBatch, SpeechBatches, SpeechClips
from pipeline.tacotron2 import Tacotron2, TeacherForced
from pipeline.tacotron2.convolutions import is_within

VALIDATION_BATCH = 25
GATE_POSITIVE_WEIGHT = 5.0  # one step of a hundred or two is the last


@dataclass(frozen=True, kw_only=True)
class Tacotron2Recipe:
    """How Tacotron 2 is trained."""

    batch_size: int = 16
    learning_rate: float = 1e-3
    fine_tuning_rate: float = 2e-4  # of weights that already speak
    letters_share: float = 0.1  # words written in letters, so that unknown words can be read
    # Share of the teacher's frames that is hidden, drawn for each clip from this range: the decoder
    # is to read the text (arXiv:1909.01145).
    hidden_frames: tuple[float, float] = (0.5, 1.0)
    attention_weight: float = 0.2
    seed: int = 0


class Tacotron2Task(nn.Module):
    """The model with its clips; `forward` is one training loss."""

    name = "tacotron2"
    model: Tacotron2

    def __init__(
        self,
        model: Tacotron2,
        train: SpeechClips,
        validation: SpeechClips,
        recipe: Tacotron2Recipe,
    ) -> None:
        super().__init__()
        self.model = model
        self.recipe = recipe
        self.learning_rate = recipe.learning_rate
        self.batch_size = recipe.batch_size
        self._train, self._validation = (
            SpeechBatches(
                clips,
                model.config,
                batch_size=recipe.batch_size,
                letters_share=recipe.letters_share,
                seed=recipe.seed,
            )
            for clips in (train, validation)
        )

    def batch(self, step: int) -> SpeechBatch:
        """Return the batch of a step: a pure function of the seed and the step."""
        return self._train.batch(step)

    def split(self, batch: SpeechBatch, rank: int, n_ranks: int) -> SpeechBatch:
        """Return this process's share of a batch."""
        return SpeechBatch(*(field[rank::n_ranks] for field in batch))

    def n_samples(self, batch: SpeechBatch) -> int:
        """Return the audio samples that a batch's mels stand for."""
        return int(batch.frame_lengths.sum()) * self.model.config.audio.hop_length

    def forward(self, batch: SpeechBatch) -> dict[str, Tensor]:
        """Return the losses of a batch, with some of the teacher's frames hidden."""
        fewest, most = self.recipe.hidden_frames
        share = fewest + (most - fewest) * torch.rand_like(batch.mel[:, :1, :1])  # [B, 1, 1]
        is_hidden = torch.rand_like(batch.mel[:, :1]) < share  # [B, 1, T]
        return self._losses(batch, batch.mel.masked_fill(is_hidden, self.model.config.mel_mean))

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Return the losses of the validation clips, every word in phones, all frames hidden."""
        totals: dict[str, list[float]] = {}
        for batch in self._validation_batches():
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(0)  # of the prenet's dropout, which never stops
                hidden = torch.full_like(batch.mel, self.model.config.mel_mean)
                losses = self._losses(batch, hidden)
            for name, value in losses.items():
                totals.setdefault(name, []).append(value.item())
        return {name: float(np.mean(values)) for name, values in totals.items()}

    def _losses(self, batch: SpeechBatch, teacher: Tensor) -> dict[str, Tensor]:
        output = self.model(*batch[:4], teacher_mel=teacher, held_alignment=batch.alignment)
        losses = speech_losses(output, batch, self.model.config.mel_std)
        attention = self.recipe.attention_weight * losses["attention"]
        return losses | {"loss": losses["mel"] + losses["gate"] + attention}

    def show(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Return no audio, and pictures [rows, columns] of one validation clip spoken freely."""
        batch = self._validation.collate([0])
        generator = torch.Generator().manual_seed(0)
        device = next(self.model.parameters()).device
        spoken = self.model.infer(batch.symbol_ids.to(device), generator=generator)
        pictures = {
            "mel": spoken.mel[0].cpu().numpy()[::-1],
            "mel recorded": batch.mel[0].numpy()[::-1],
            "alignment": spoken.alignment[0].T.cpu().numpy()[::-1],
        }
        return {}, pictures

    def _validation_batches(self) -> list[SpeechBatch]:
        clips = range(len(self._validation.clips.tokens))
        ordered = sorted(clips, key=self._validation.clips.n_frames)
        device = next(self.model.parameters()).device
        starts = range(0, len(ordered), VALIDATION_BATCH)
        batches = [self._validation.collate(ordered[i : i + VALIDATION_BATCH]) for i in starts]
        return [SpeechBatch(*(field.to(device) for field in batch)) for batch in batches]


def speech_losses(output: TeacherForced, batch: SpeechBatch, mel_std: float) -> dict[str, Tensor]:
    """Return the losses over valid frames, symbols and steps.

    Args:
        output: What the model predicted.
        batch: What was recorded.
        mel_std: The model's own unit of mels.

    Returns:
        `mel`, squared error before and after the postnet (arXiv:1712.05884, section 2.2); `gate`,
        cross entropy with the last step as the only positive; `attention`, cross entropy with
        where it belongs.
    """
    n_frames, n_steps = batch.mel.shape[-1], output.gate_logits.shape[1]
    step_lengths = batch.frame_lengths * n_steps // n_frames
    frame_is_valid = is_within(batch.frame_lengths, n_frames)[:, None]  # [B, 1, T]
    step_is_valid = is_within(step_lengths, n_steps)  # [B, T / r]
    n_values = frame_is_valid.sum() * batch.mel.shape[1]
    squared = [
        ((predicted - batch.mel).square() * frame_is_valid).sum() / n_values / mel_std**2
        for predicted in (output.decoded, output.mel)
    ]
    is_last = F.one_hot(step_lengths - 1, n_steps).to(output.gate_logits.dtype)
    gate = F.binary_cross_entropy_with_logits(
        output.gate_logits,
        is_last,
        weight=step_is_valid.to(is_last.dtype),
        pos_weight=torch.tensor(GATE_POSITIVE_WEIGHT, device=is_last.device),
        reduction="sum",
    )
    surprise = -(batch.alignment * output.alignment.clamp(min=1e-6).log()).sum()
    return {
        "mel": squared[0] + squared[1],
        "gate": gate / step_is_valid.sum(),
        "attention": surprise / step_is_valid.sum(),
    }
