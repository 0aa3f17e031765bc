"""What it takes to train Tacotron 2: its losses, the hidden frames, what to show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.data.speech_batches import SpeechBatch, SpeechClip, SpeechData, share_of_batch
from pipeline.tacotron2 import Tacotron2, TeacherForced
from pipeline.tacotron2.convolutions import is_within
from pipeline.tacotron2.prosody import PITCH

Vocode = Callable[[np.ndarray], np.ndarray]
"""Makes audio [S] of a mel [M, T]."""
Shown = tuple[dict[str, np.ndarray], dict[str, np.ndarray]]
"""Audio [S], and pictures [rows, columns], by name."""

PROSODY_NAMES = ("pitch", "energy")
WIDENED_SHARE = 2.0 / 3.0
GATE_POSITIVE_WEIGHT = 5.0  # one step of a hundred or two is the last


@dataclass(frozen=True, kw_only=True)
class Tacotron2Recipe:
    """How Tacotron 2 is trained."""

    batch_size: int = 16
    learning_rate: float = 1e-3
    # Share of the teacher's frames that is hidden, drawn for each clip from this range: the decoder
    # is to read the text (arXiv:1909.01145).
    hidden_frames: tuple[float, float] = (0.5, 1.0)
    attention_weight: float = 0.2
    prosody_weight: float = 0.1
    seed: int = 0


class Tacotron2Task(nn.Module):
    """The model with its clips; `forward` is one training loss."""

    name = "tacotron2"
    betas = (0.9, 0.98)
    model: Tacotron2
    vocode: Vocode | None = None  # what is shown is heard too

    def __init__(
        self,
        model: Tacotron2,
        train: Sequence[SpeechClip],
        validation: Sequence[SpeechClip],
        recipe: Tacotron2Recipe,
    ) -> None:
        super().__init__()
        self.model = model
        self.recipe = recipe
        self.learning_rate = recipe.learning_rate
        self.batch_size = recipe.batch_size
        self.data = SpeechData(
            train, validation, model.config, batch_size=recipe.batch_size, seed=recipe.seed
        )

    def batch(self, step: int) -> SpeechBatch:
        """Return the batch of a step: a pure function of the seed and the step."""
        return self.data.train.batch(step)

    def split(self, batch: SpeechBatch, rank: int, n_ranks: int) -> SpeechBatch:
        """Return this process's share of a batch."""
        return share_of_batch(batch, rank, n_ranks)

    def n_samples(self, batch: SpeechBatch) -> int:
        """Return the audio samples that a batch's mels stand for."""
        return self.data.n_samples(batch)

    def forward(self, batch: SpeechBatch) -> dict[str, Tensor]:
        """Return the losses of a batch, with some of the teacher's frames hidden."""
        fewest, most = self.recipe.hidden_frames
        share = fewest + (most - fewest) * torch.rand_like(batch.mel[:, :1, :1])  # [B, 1, 1]
        is_hidden = torch.rand_like(batch.mel[:, :1]) < share  # [B, 1, T]
        return self._losses(batch, batch.mel.masked_fill(is_hidden, self.model.config.mel_mean))

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Return the losses of the validation clips, all frames hidden."""
        totals: dict[str, list[float]] = {}
        for batch in self.data.validation_batches(next(self.model.parameters()).device):
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(0)  # of the prenet's dropout, which never stops
                hidden = torch.full_like(batch.mel, self.model.config.mel_mean)
                losses = self._losses(batch, hidden)
            for name, value in losses.items():
                totals.setdefault(name, []).append(value.item())
        return {name: float(np.mean(values)) for name, values in totals.items()}

    def _losses(self, batch: SpeechBatch, teacher: Tensor) -> dict[str, Tensor]:
        output = self.model(
            *batch[:4],
            speaker_ids=batch.speaker_ids,
            prosody=batch.prosody,
            teacher_mel=teacher,
            held_alignment=batch.alignment,
        )
        losses = speech_losses(output, batch, self.model.config.mel_std)
        weighted = [
            self.recipe.attention_weight * losses["attention"],
            *(
                self.recipe.prosody_weight * losses[name]
                for name in losses
                if name in PROSODY_NAMES
            ),
        ]
        return losses | {"loss": losses["mel"] + losses["gate"] + sum(weighted)}

    def show(self) -> Shown:
        """Return one validation clip's text as it is spoken freely."""
        return spoken_clip(self.model, self.data, self.vocode)


def spoken_clip(model: Tacotron2, data: SpeechData, vocode: Vocode | None) -> Shown:
    """Return audio of one validation clip's text, if it can be made, and pictures with its mel."""
    batch = data.validation.collate([0])
    spoken = model.infer(
        batch.symbol_ids.to(next(model.parameters()).device),
        speaker=int(batch.speaker_ids[0]),
        generator=torch.Generator().manual_seed(0),
    )
    mel = spoken.mel[0].cpu().numpy()
    pictures = {
        "mel": mel[::-1],
        "mel recorded": batch.mel[0].numpy()[::-1],
        "alignment": spoken.alignment[0].T.cpu().numpy()[::-1],
    }
    return ({"spoken": vocode(mel)} if vocode else {}), pictures


def speech_losses(output: TeacherForced, batch: SpeechBatch, mel_std: float) -> dict[str, Tensor]:
    """Return the losses over valid frames, symbols and steps.

    Args:
        output: What the model predicted.
        batch: What was recorded.
        mel_std: The model's own unit of mels.

    Returns:
        `mel`, squared error before and after the postnet (arXiv:1712.05884, section 2.2); `gate`,
        cross entropy with the last step as the only positive; `attention`, cross entropy with
        where it belongs; `pitch` and `energy`, squared error, where the model predicts them.
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
    losses = {
        "mel": squared[0] + squared[1],
        "gate": gate / step_is_valid.sum(),
        "attention": surprise / step_is_valid.sum(),
    }
    if output.prosody is None:
        return losses
    is_symbol = is_within(batch.symbol_lengths, batch.symbol_ids.shape[1])[..., None]
    error = ((output.prosody - batch.prosody).square() * is_symbol).sum((0, 1)) / is_symbol.sum()
    return losses | dict(zip(PROSODY_NAMES, error, strict=True))


@torch.no_grad()
def widen_prosody(model: Tacotron2, data: SpeechData) -> None:
    """Set what the model's predicted pitch is multiplied by, so that speech has more melody.

    A prediction is a mean, and varies less than what it predicts: by how much, the validation
    clips tell. Two thirds of what is missing give the recorded spread, since pitch also moves
    within phones; all of it would make neighbouring phones leap.
    """
    if model.prosody is None:
        return
    predicted, recorded = [], []
    for batch in data.validation_batches(next(model.parameters()).device):
        _, prosody = model.encode(*batch[:2], batch.speaker_ids)
        assert prosody is not None
        for row, length in enumerate(batch.symbol_lengths.tolist()):
            predicted.append(prosody[row, :length])
            recorded.append(batch.prosody[row, :length])
    ratio = (torch.cat(recorded).std(0) / torch.cat(predicted).std(0))[PITCH]
    model.prosody.scale[PITCH] = 1.0 + WIDENED_SHARE * (ratio - 1.0)
