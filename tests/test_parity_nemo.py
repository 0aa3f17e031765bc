"""Our models and checkpoints against NeMo's modules, on the same random weights."""

from __future__ import annotations

import types
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from pipeline.checkpoints import load_tacotron2
from pipeline.mel import AudioConfig, log_mel
from pipeline.pretrained.conversion import Converted, read_any, write_any
from pipeline.pretrained.nemo_configs import tacotron2_config, waveglow_config
from pipeline.pretrained.nemo_symbols import nemo_tokens
from pipeline.pretrained.waveglow_state_dict import waveglow_from_published
from pipeline.tacotron2 import Tacotron2, Tacotron2Config
from pipeline.waveglow import WaveGlow, WaveGlowConfig
from tests import nvidia_state_dicts
from tests.tiny_models import random_tacotron2, voiced_sound
from text import SYMBOLS

pytestmark = pytest.mark.nemo

N_FRAMES = 4
SMALL = WaveGlowConfig(n_channels=32, n_layers=4)


@pytest.fixture(scope="module")
def nemo() -> types.SimpleNamespace:
    """NeMo's names; importing them takes long, so it is done once."""
    from nemo.collections.common.tokenizers.text_to_speech.tts_tokenizers import (
        EnglishPhonemesTokenizer,
    )
    from nemo.collections.tts.losses.waveglowloss import WaveGlowLoss
    from nemo.collections.tts.models import Tacotron2Model, WaveGlowModel
    from nemo.collections.tts.modules import submodules
    from nemo.collections.tts.parts.utils.helpers import OperationMode
    from nemo.utils import logging
    from omegaconf import OmegaConf

    logging.setLevel(logging.ERROR)
    return SimpleNamespace(
        waveglow=WaveGlowModel,
        tacotron2=Tacotron2Model,
        tokenizer=EnglishPhonemesTokenizer,
        waveglow_loss=WaveGlowLoss(),
        submodules=submodules,
        modes=OperationMode,
        config=OmegaConf.create,
    )


@torch.no_grad()
def new_waveglow(nemo: Any, config: WaveGlowConfig) -> Any:
    """Build NeMo's WaveGlow with weights under which every part does something."""
    torch.manual_seed(0)
    model = nemo.waveglow(nemo.config(waveglow_config(config))).eval()
    for network, mixing in zip(model.waveglow.wavenet, model.waveglow.convinv, strict=True):
        network.end.weight.uniform_(-0.01, 0.01)
        network.end.bias.uniform_(-0.05, 0.05)
        mixing.conv.weight += 0.02 * torch.randn_like(mixing.conv.weight)
    return model


@pytest.fixture(scope="module")
def small_waveglow(nemo: Any) -> Any:
    return new_waveglow(nemo, SMALL)


@pytest.fixture(scope="module")
def full_waveglow(nemo: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The published size: the model, and the file that NeMo saved of it."""
    folder = tmp_path_factory.mktemp("full")
    model = new_waveglow(nemo, WaveGlowConfig())
    model.save_to(str(folder / "waveglow.nemo"))
    yield SimpleNamespace(model=model, path=folder / "waveglow.nemo")
    (folder / "waveglow.nemo").unlink()


@pytest.fixture(scope="module")
def full_tacotron2(nemo: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("full") / "tacotron2.nemo"
    torch.manual_seed(0)
    config = tacotron2_config(Tacotron2Config(), list(SYMBOLS))
    model = nemo.tacotron2(nemo.config(config)).eval()
    for name, tensor in model.state_dict().items():
        if name.endswith("running_mean"):
            tensor.uniform_(-0.2, 0.2)
        elif name.endswith("running_var"):
            tensor.uniform_(0.5, 2.0)
    model.save_to(str(path))
    return SimpleNamespace(model=model, path=path)


def some_mel(n_frames: int = N_FRAMES) -> Tensor:
    return log_mel(voiced_sound(256 * n_frames))[..., :n_frames]


@torch.no_grad()
def nemo_audio(model: Any, mel: Tensor) -> Tensor:
    """Return what NeMo's flow says at sigma 0."""
    audio: Tensor = model.waveglow.norm_dist_to_audio(spec=mel, sigma=0.0)
    return audio


def assert_same(seen: Tensor, expected: Tensor) -> None:
    assert seen.shape == expected.shape
    assert (seen - expected).abs().max() < 1e-4


@torch.no_grad()
def test_likelihood_is_nemos(nemo: Any, small_waveglow: Any) -> None:
    ours = waveglow_from_published(
        {n: t for n, t in small_waveglow.state_dict().items() if n.startswith("waveglow.")},
        AudioConfig(),
        source="NeMo",
    )
    audio = voiced_sound(256 * N_FRAMES, batch_size=2)
    mel = log_mel(audio)[..., :N_FRAMES]
    z, log_s, log_det_mixing = small_waveglow.waveglow.audio_to_normal_dist(spec=mel, audio=audio)
    said = ours(mel, audio, sigma=0.7)
    assert_same(said.z, z)
    for seen, expected in zip(said.log_scale, log_s, strict=True):
        assert_same(seen, expected)
    scales = torch.stack([s.sum((1, 2)) for s in log_s]).sum(0)
    log_det = scales + torch.stack(log_det_mixing).sum() / len(audio)
    assert torch.allclose(said.log_det, log_det, rtol=1e-5)
    loss = nemo.waveglow_loss(z=z, log_s_list=log_s, log_det_W_list=log_det_mixing, sigma=0.7)
    assert_same(said.loss, loss)


@torch.no_grad()
def test_noise_becomes_the_same_audio(full_waveglow: Any) -> None:
    ours = read_any(full_waveglow.path).model
    assert isinstance(ours, WaveGlow)
    mel, z = some_mel(), torch.randn(1, 8, 32 * N_FRAMES)
    consumed = torch.cat([z[:, 4:], z[:, 2:4], z[:, :2]], dim=1)  # NeMo: [rest, flow 8's, flow 4's]
    expected = full_waveglow.model.waveglow.norm_dist_to_audio(spec=mel, z=consumed)
    assert expected.std() > 0.5
    assert_same(ours.inverse(mel, z), expected)


@pytest.mark.parametrize("layout", ["2020", "2019", "2020, folded", "data-parallel"])
def test_every_layout_of_the_same_flow_says_the_same(
    small_waveglow: Any, layout: str, tmp_path: Path
) -> None:
    state = nvidia_state_dicts.latest(small_waveglow.waveglow.state_dict())
    state = {name: t for name, t in state.items() if "inv_conv" not in name}
    laid_out = nvidia_state_dicts.LAYOUTS[layout](state)
    torch.save(nvidia_state_dicts.training_checkpoint(laid_out), tmp_path / "waveglow.pt")
    ours = read_any(tmp_path / "waveglow.pt", mel_max_hz=8_000.0).model
    assert isinstance(ours, WaveGlow)
    assert_same(ours.infer(some_mel(), sigma=0.0), nemo_audio(small_waveglow, some_mel()))


def test_a_full_waveglow_saved_by_nemo_speaks_the_same_here(full_waveglow: Any) -> None:
    converted = read_any(full_waveglow.path)
    assert isinstance(converted.model, WaveGlow)
    assert converted.model.config == WaveGlowConfig()
    assert_same(
        converted.model.infer(some_mel(), sigma=0.0), nemo_audio(full_waveglow.model, some_mel())
    )


def test_a_full_waveglow_of_ours_is_restored_by_nemo(
    nemo: Any, full_waveglow: Any, tmp_path: Path
) -> None:
    ours = read_any(full_waveglow.path)
    assert isinstance(ours.model, WaveGlow)
    write_any(ours, tmp_path / "ours.nemo")
    restored = nemo.waveglow.restore_from(str(tmp_path / "ours.nemo"), map_location="cpu").eval()
    (tmp_path / "ours.nemo").unlink()
    assert_same(nemo_audio(restored, some_mel()), ours.model.infer(some_mel(), sigma=0.0))


def test_a_waveglow_saved_after_it_has_spoken_is_read_too(nemo: Any, tmp_path: Path) -> None:
    """NeMo itself cannot restore it: its weights are folded by then, its inverses kept."""
    model = new_waveglow(nemo, SMALL)
    mel = some_mel()
    expected = nemo_audio(model, mel)
    model.convert_spectrogram_to_audio(spec=mel, sigma=0.0, denoise=False)
    model.save_to(str(tmp_path / "spoken.nemo"))
    converted = read_any(tmp_path / "spoken.nemo").model
    assert isinstance(converted, WaveGlow)
    assert_same(converted.infer(mel, sigma=0.0), expected)


class CountedDropout:
    """`torch.nn.functional` with the dropout that our prenet draws from a generator."""

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator().manual_seed(seed)

    def __getattr__(self, name: str) -> Any:
        return getattr(torch.nn.functional, name)

    def dropout(self, x: Tensor, p: float, training: bool) -> Tensor:
        """Drop as ours does; the frame behind the last, which NeMo adds, is not seen by us."""
        assert training
        keep = torch.rand((len(x) - 1, *x.shape[1:]), generator=self._generator) >= p
        return x * torch.cat([keep, keep[:1]]) / (1 - p)


@torch.no_grad()
def nemo_teacher_forced(
    nemo: Any, model: Any, ids: Tensor, mel: Tensor, seed: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Run NeMo's three parts: dropout in the prenet alone, and there from a seed."""
    embedded = model.text_embedding(ids).transpose(1, 2)
    lengths = torch.tensor([ids.shape[1]])
    encoded = model.encoder(token_embedding=embedded, token_len=lengths)
    decoder = model.decoder.train()  # NeMo forces the teacher in train mode alone
    decoder.p_attention_dropout = decoder.p_decoder_dropout = 0.0
    frame_by_frame = mel.transpose(1, 2).contiguous().transpose(1, 2)  # NeMo views it so
    original = nemo.submodules.F
    nemo.submodules.F = CountedDropout(seed)
    try:
        decoded, gate, alignment = decoder(
            memory=encoded, decoder_inputs=frame_by_frame, memory_lengths=lengths
        )
    finally:
        nemo.submodules.F = original
        decoder.eval()
    return decoded, model.postnet(mel_spec=decoded), gate, alignment


def assert_teacher_forced_the_same(nemo: Any, theirs: Any, ours: Tacotron2) -> None:
    ids = torch.randint(1, 148, (1, 20), generator=torch.Generator().manual_seed(0))
    mel = some_mel(24)
    decoded, refined, gate, alignment = nemo_teacher_forced(nemo, theirs, ids, mel, seed=5)
    with torch.no_grad():
        said = ours(
            ids,
            torch.tensor([20]),
            mel,
            torch.tensor([24]),
            generator=torch.Generator().manual_seed(5),
        )
    assert_same(said.decoded, decoded)
    assert_same(said.mel, refined)
    assert_same(said.gate_logits, gate)
    assert_same(said.alignment, alignment)


def test_a_full_tacotron2_saved_by_nemo_predicts_the_same_here(
    nemo: Any, full_tacotron2: Any
) -> None:
    ours = read_any(full_tacotron2.path).model
    assert isinstance(ours, Tacotron2)
    assert ours.config == Tacotron2Config()
    assert_teacher_forced_the_same(nemo, full_tacotron2.model, ours)


def test_on_its_own_frames_a_tacotron2_goes_the_same_way(
    full_tacotron2: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = read_any(full_tacotron2.path).model, full_tacotron2.model
    assert isinstance(ours, Tacotron2)
    monkeypatch.setattr("pipeline.tacotron2.decoder.PRENET_DROPOUT", 0.0)
    monkeypatch.setattr(theirs.decoder.prenet, "p_dropout", 0.0)
    monkeypatch.setattr(theirs.decoder, "max_decoder_steps", 10)
    monkeypatch.setattr(theirs.decoder, "gate_threshold", 1.0)  # no gate ever opens
    ids = torch.arange(1, 16)[None]
    expected = theirs.generate_spectrogram(tokens=ids)
    assert_same(ours.infer(ids, gate_threshold=1.0, max_frames=10).mel, expected)


@pytest.mark.parametrize("reduction", [1, 3])
def test_a_tacotron2_of_ours_is_restored_by_nemo(nemo: Any, reduction: int, tmp_path: Path) -> None:
    config = Tacotron2Config(
        prenet_size=32,
        attention_rnn_size=48,
        decoder_rnn_size=40,
        attention_size=24,
        location_channels=8,
        location_kernel=15,
        encoder_layers=2,
        postnet_layers=3,
        postnet_channels=56,
        reduction=reduction,
    )
    ours = random_tacotron2(config)
    write_any(Converted(ours, "ours", {}), tmp_path / "ours.nemo")
    restored = nemo.tacotron2.restore_from(str(tmp_path / "ours.nemo"), map_location="cpu").eval()
    assert_teacher_forced_the_same(nemo, restored, ours)
    assert restored.parse("ab", normalize=False).tolist() == [
        [148, SYMBOLS.index("a"), SYMBOLS.index("b"), 149]
    ]


def test_nvidias_file_of_the_same_tacotron2_becomes_the_same_voice(
    nemo: Any, full_tacotron2: Any, tmp_path: Path
) -> None:
    state = full_tacotron2.model.state_dict()
    renamed = {
        name.replace("text_embedding.", "embedding."): tensor
        for name, tensor in state.items()
        if not name.startswith("audio_to_melspec")
    }
    renamed["embedding.weight"] = renamed["embedding.weight"][:148].clone()
    torch.save({"iteration": 1, "state_dict": renamed}, tmp_path / "tacotron2_statedict.pt")
    converted = read_any(tmp_path / "tacotron2_statedict.pt", mel_max_hz=8_000.0)
    path = write_any(converted, tmp_path / "voice", half=False)
    assert_teacher_forced_the_same(nemo, full_tacotron2.model, load_tacotron2(path))


@pytest.mark.parametrize(
    "options",
    [
        {"stresses": True, "chars": True, "pad_with_space": True},
        {"stresses": False, "chars": False},
        {"stresses": True, "chars": True, "apostrophe": False, "punct": False},
        {"stresses": True, "add_blank_at": "last", "silence": "<sil>"},
        {"stresses": True, "add_blank_at": True, "non_default_punct_list": [",", "."]},
    ],
)
def test_tokens_stand_in_the_order_of_nemos_tokenizer(nemo: Any, options: dict[str, Any]) -> None:
    tokenizer = nemo.tokenizer(g2p=list, **options)
    target = f"{nemo.tokenizer.__module__}.{nemo.tokenizer.__name__}"
    config = {"text_tokenizer": {"_target_": target, **options}}
    assert nemo_tokens(config, "NeMo") == tokenizer.tokens


def test_nemos_featurizer_gives_nearly_our_mels(small_waveglow: Any) -> None:
    """All but the window, the padding at both ends and the last frame, which NeMo overwrites."""
    audio = voiced_sound(256 * 40)
    theirs, _ = small_waveglow.audio_to_melspec_precessor(audio, torch.tensor([audio.shape[1]]))
    inner = slice(4, 36)
    difference = (log_mel(audio)[..., inner] - theirs[..., inner]).abs()
    assert difference.mean() < 0.02
