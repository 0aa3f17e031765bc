"""The laws of the mel predictor; parity with NeMo's stands in test_parity_nemo.py."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from torch import Tensor

from pipeline.mel import AudioConfig
from pipeline.tacotron2 import Prediction, Tacotron2, frame_limit
from pipeline.tacotron2.config import Tacotron2Config
from pipeline.tacotron2.inference import TorchDecoder
from pipeline.tacotron2.numpy_decoder import NumpyDecoder
from tests.tiny_models import TINY_TACOTRON2, random_tacotron2


def symbols(n_symbols: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(1, TINY_TACOTRON2.n_symbols, (1, n_symbols), generator=generator)


def never_ending(model: Tacotron2) -> Tacotron2:
    """Keep the gate shut and the attention even, so that only the limit ends speech."""
    torch.nn.init.constant_(model.decoder.gate.bias, -100.0)
    torch.nn.init.zeros_(model.decoder.attention.v.weight)
    return model


def speak(model: Tacotron2, symbol_ids: Tensor, *, seed: int = 0, n_frames: int = 12) -> Prediction:
    generator = torch.Generator().manual_seed(seed)
    return model.infer(symbol_ids, generator=generator, max_frames=n_frames)


@pytest.fixture
def no_dropout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.tacotron2.decoder.PRENET_DROPOUT", 0.0)


@torch.no_grad()
def test_padding_changes_nothing_for_valid_frames(no_dropout: None) -> None:
    model = random_tacotron2()
    ids, lengths = torch.cat([symbols(9), symbols(9, seed=1)]), torch.tensor([9, 6])
    mel, frame_lengths = torch.randn(2, 80, 11), torch.tensor([11, 7])
    batch = model(ids, lengths, mel, frame_lengths)
    alone = model(ids[1:, :6], lengths[1:], mel[1:, :, :7], frame_lengths[1:])
    assert torch.allclose(batch.decoded[1:, :, :7], alone.decoded, atol=1e-5)
    assert torch.allclose(batch.mel[1:, :, :7], alone.mel, atol=1e-5)
    assert torch.allclose(batch.gate_logits[1:, :7], alone.gate_logits, atol=1e-5)
    assert torch.allclose(batch.alignment[1:, :7, :6], alone.alignment, atol=1e-6)
    assert not batch.alignment[1, :, 6:].any()


@torch.no_grad()
def test_what_stands_in_the_padding_does_not_matter(no_dropout: None) -> None:
    model = random_tacotron2()
    lengths, mel, frame_lengths = torch.tensor([5, 3]), torch.randn(2, 80, 6), torch.tensor([6, 4])
    ids = torch.cat([symbols(5), symbols(5, seed=1)])
    other_ids, other_mel = ids.clone(), mel.clone()
    other_ids[1, 3:], other_mel[1, :, 4:] = 7, 99.0
    said = model(ids, lengths, mel, frame_lengths)
    other = model(other_ids, lengths, other_mel, frame_lengths)
    assert torch.equal(said.mel[1, :, :4], other.mel[1, :, :4])


@torch.no_grad()
@pytest.mark.parametrize("reduction", [1, 2, 3])
def test_teacher_forced_with_its_own_frames_it_repeats_them(
    no_dropout: None, reduction: int
) -> None:
    config = dataclasses.replace(TINY_TACOTRON2, reduction=reduction, mel_mean=-5.0, mel_std=2.0)
    model = never_ending(random_tacotron2(config))
    torch.nn.init.zeros_(model.postnet.convolutions[-1].norm.weight)  # mel = what was decoded
    torch.nn.init.zeros_(model.postnet.convolutions[-1].norm.bias)
    said = speak(model, symbols(8))
    assert said.mel.shape == (1, 80, 12)
    assert said.gate_logits.shape == (1, 12 // reduction)
    assert said.alignment.shape == (1, 12 // reduction, 8)
    forced = model(symbols(8), torch.tensor([8]), said.mel, torch.tensor([12]))
    assert torch.allclose(forced.decoded, said.mel, atol=1e-4)
    assert torch.allclose(forced.alignment, said.alignment, atol=1e-5)


@torch.no_grad()
def test_each_step_sees_the_last_frame_of_the_group_before(no_dropout: None) -> None:
    model = random_tacotron2(dataclasses.replace(TINY_TACOTRON2, reduction=3))
    mel = torch.randn(1, 80, 9)

    def first_changed_frame(frame: int) -> int | None:
        changed = mel.clone()
        changed[..., frame] += 1.0
        lengths = torch.tensor([6]), torch.tensor([9])
        before, after = (model(symbols(6), lengths[0], m, lengths[1]) for m in (mel, changed))
        differs = (before.decoded != after.decoded).any(dim=1)[0].nonzero()
        return int(differs[0]) if len(differs) else None

    assert [first_changed_frame(i) for i in range(9)] == [None, None, 3, None, None, 6, *[None] * 3]


def test_frames_must_fill_whole_groups() -> None:
    model = random_tacotron2(dataclasses.replace(TINY_TACOTRON2, reduction=2))
    with pytest.raises(ValueError, match="7 frames are not a multiple of the reduction factor 2"):
        model(symbols(4), torch.tensor([4]), torch.randn(1, 80, 7), torch.tensor([7]))


def test_same_seed_same_mel_and_another_seed_another() -> None:
    model = never_ending(random_tacotron2())
    first, again, other = (speak(model, symbols(7), seed=seed).mel for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_prenet_drops_half_and_keeps_the_mean() -> None:
    model = random_tacotron2()
    torch.nn.init.constant_(model.decoder.prenet[0].weight, 1.0 / 80)
    torch.nn.init.eye_(model.decoder.prenet[1].weight)
    frames = torch.ones(5_000, 80)
    dropout = model.decoder.dropout([2, 5_000, 12], torch.Generator().manual_seed(0))
    seen = model.decoder.prenet_forward(frames, dropout)
    assert seen.mean().item() == pytest.approx(1.0, abs=0.05)
    assert (seen == 0).float().mean().item() == pytest.approx(0.75, abs=0.01)


@torch.inference_mode()
@pytest.mark.parametrize(
    "changes", [{}, {"reduction": 3}, {"attention_window": 2, "attention_sharpness": 3.0}]
)
@pytest.mark.parametrize("is_held", [False, True])
def test_steps_in_numpy_are_those_of_training(changes: dict[str, Any], is_held: bool) -> None:
    model = random_tacotron2(dataclasses.replace(TINY_TACOTRON2, **changes))
    memory = model.encode(symbols(9), torch.tensor([9]))
    held = torch.rand(20, 1, 9, generator=torch.Generator().manual_seed(1)).softmax(2)
    both = (NumpyDecoder(model.decoder, memory), TorchDecoder(model.decoder, memory))
    all_dropout = model.decoder.dropout((20, 2, 1, 12), torch.Generator().manual_seed(2))
    for dropout, known in zip(all_dropout, held, strict=True):
        ours, theirs = (steps.step(dropout, known if is_held else None) for steps in both)
        assert ours == (pytest.approx(theirs[0], abs=1e-4), theirs[1])
    ours, theirs = (steps.result() for steps in both)
    for seen, expected in zip(ours, theirs, strict=True):
        assert seen.shape == expected.shape
        assert torch.allclose(seen, expected, atol=1e-4)


@pytest.mark.parametrize("ending", ["gate", "attention", "limit"])
def test_a_sentence_is_the_same_from_either_steps(
    ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = never_ending(random_tacotron2(dataclasses.replace(TINY_TACOTRON2, reduction=2)))
    if ending == "gate":
        torch.nn.init.constant_(model.decoder.gate.bias, 100.0)
    ids = symbols(1 if ending == "attention" else 7)
    in_numpy = speak(model, ids, n_frames=30)
    monkeypatch.setattr("pipeline.tacotron2.inference.NumpyDecoder", TorchDecoder)
    in_torch = speak(model, ids, n_frames=30)
    assert in_numpy.ending == in_torch.ending == ending
    for ours, theirs in zip(in_numpy[:3], in_torch[:3], strict=True):
        assert torch.allclose(ours, theirs, atol=1e-4)


def test_voices_in_threads_do_not_mix() -> None:
    model = never_ending(random_tacotron2())
    texts = [symbols(5 + i, seed=i) for i in range(4)]
    alone = [speak(model, ids, seed=i).mel for i, ids in enumerate(texts)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda i: speak(model, texts[i], seed=i).mel, range(4)))
    for expected, seen in zip(alone, together, strict=True):
        assert torch.equal(expected, seen)


def test_speech_ends_when_the_gate_opens() -> None:
    model = random_tacotron2()
    torch.nn.init.constant_(model.decoder.gate.bias, 100.0)
    said = speak(model, symbols(6))
    assert (said.ending, said.mel.shape[-1]) == ("gate", 1)  # the frame that opened it is kept
    assert model.infer(symbols(6), gate_threshold=1.0, max_frames=5).ending != "gate"


def test_speech_ends_when_the_attention_rests_on_the_last_symbol() -> None:
    model = never_ending(random_tacotron2())
    said = speak(model, symbols(1), n_frames=100)
    assert (said.ending, said.mel.shape[-1]) == ("attention", 13)


@pytest.mark.parametrize("reduction", [1, 3])
def test_speech_ends_at_the_limit(reduction: int) -> None:
    model = never_ending(random_tacotron2(dataclasses.replace(TINY_TACOTRON2, reduction=reduction)))
    said = speak(model, symbols(6), n_frames=9)
    assert (said.ending, said.mel.shape[-1]) == ("limit", 9)


def test_the_default_limit_grows_with_the_text() -> None:
    assert frame_limit(0, AudioConfig()) == 172
    assert frame_limit(40, AudioConfig()) == 1033
    model = never_ending(random_tacotron2())
    assert model.infer(symbols(2)).mel.shape[-1] == frame_limit(2, AudioConfig())


def test_the_attention_window_keeps_the_attention_near_its_last_place() -> None:
    model = random_tacotron2(dataclasses.replace(TINY_TACOTRON2, attention_window=2))
    torch.nn.init.constant_(model.decoder.gate.bias, -100.0)
    alignment = speak(model, symbols(15)).alignment[0]  # [steps, N]
    places = [0, *alignment.argmax(dim=1).tolist()]
    for weights, last in zip(alignment, places, strict=False):
        reach = (weights > 0).nonzero()[:, 0]
        assert (reach - last).abs().max() <= 2


@torch.no_grad()
def test_sharpness_raises_the_attention_to_a_power(no_dropout: None) -> None:
    soft = random_tacotron2()
    config = dataclasses.replace(TINY_TACOTRON2, attention_sharpness=3.0)
    sharp = random_tacotron2(config)
    for model in (soft, sharp):
        model.decoder.attention.v.weight.mul_(30.0)  # far from even
    first, sharpened = (speak(m, symbols(7), n_frames=1).alignment[0, 0] for m in (soft, sharp))
    torch.testing.assert_close(sharpened, first**3 / (first**3).sum())
    given = symbols(7), torch.tensor([7]), torch.zeros(1, 80, 4), torch.tensor([4])
    in_training = sharp.train()(*given).alignment[0, 0]
    assert (in_training - sharpened).abs().max() > 0.1  # it sees the energies as they are


@torch.no_grad()
def test_the_teacher_mel_is_what_the_prenet_sees(no_dropout: None) -> None:
    model = random_tacotron2()
    mel, hidden = torch.randn(1, 80, 5), torch.zeros(1, 80, 5)
    lengths = torch.tensor([6]), torch.tensor([5])
    said = model(symbols(6), lengths[0], mel, lengths[1], teacher_mel=hidden)
    assert torch.equal(said.mel, model(symbols(6), lengths[0], hidden, lengths[1]).mel)


@torch.no_grad()
@pytest.mark.parametrize("reduction", [1, 3])
def test_held_to_its_own_alignment_all_steps_at_once_are_one_after_another(
    no_dropout: None, reduction: int
) -> None:
    model = random_tacotron2(dataclasses.replace(TINY_TACOTRON2, reduction=reduction))
    ids, lengths = torch.cat([symbols(9), symbols(9, seed=1)]), torch.tensor([9, 6])
    mel, frame_lengths = torch.randn(2, 80, 12), torch.tensor([12, 9])
    stepped = model(ids, lengths, mel, frame_lengths)
    held = model(ids, lengths, mel, frame_lengths, held_alignment=stepped.alignment)
    for one, other in zip(stepped, held, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-5)


@torch.no_grad()
def test_held_attention_reads_what_it_is_told_to(no_dropout: None) -> None:
    model = random_tacotron2()
    lengths, mel = (torch.tensor([6]), torch.tensor([5])), torch.randn(1, 80, 5)
    elsewhere = torch.nn.functional.one_hot(torch.tensor([[0, 1, 2, 3, 5]]), 6).float()
    said = model(symbols(6), lengths[0], mel, lengths[1], held_alignment=elsewhere)
    assert not torch.allclose(said.alignment, elsewhere, atol=0.1)  # its own opinion
    free = model(symbols(6), lengths[0], mel, lengths[1])
    assert not torch.allclose(said.decoded, free.decoded, atol=1e-4)


def test_training_reaches_every_weight() -> None:
    model = random_tacotron2().train()
    said = model(symbols(6), torch.tensor([6]), torch.randn(1, 80, 8), torch.tensor([8]))
    (said.mel.square().sum() + said.decoded.sum() + said.gate_logits.sum()).backward()
    untouched = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert untouched == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"embedding_size": 17}, "embedding_size 17 is odd"),
        ({"location_kernel": 30}, "location_kernel 30 is even"),
        ({"postnet_kernel": 4}, "postnet_kernel 4 is even"),
        ({"reduction": 0}, "reduction 0"),
        ({"postnet_layers": 1}, "postnet_layers 1"),
    ],
)
def test_config_rejects_contradictions(changes: dict[str, int], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        dataclasses.replace(Tacotron2Config(), **changes)  # type: ignore[arg-type]
