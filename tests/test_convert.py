"""Published files become our models, whatever their age; NeMo's part is in test_parity_nemo.py."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from pipeline import convert
from pipeline.checkpoints import load_tacotron2, load_waveglow, save_model
from pipeline.errors import PipelineError
from pipeline.pretrained.conversion import Converted, read_any, write_any
from pipeline.pretrained.nemo_archives import read_nemo, write_nemo
from pipeline.pretrained.nemo_symbols import embedding_of_our_symbols, nemo_tokens
from pipeline.pretrained.tacotron2_state_dict import published_name
from pipeline.pretrained.waveglow_state_dict import waveglow_to_nemo
from pipeline.synthesizer import Synthesizer
from pipeline.tacotron2 import Tacotron2
from pipeline.voices import read_voice
from pipeline.waveglow import WaveGlow
from tests.nvidia_state_dicts import LAYOUTS, State, folded, latest, training_checkpoint
from tests.tiny_models import (
    FEW_MELS,
    SMALL_FILE,
    TINY_TACOTRON2,
    WAVEGLOW_CONFIGS,
    random_tacotron2,
    random_waveglow,
)
from text.symbols import SYMBOLS

OLD_CONFIG = dataclasses.replace(SMALL_FILE, couplings="alternate")
MEL = torch.linspace(-6.0, -2.0, 8 * 3).view(1, 8, 3)
TACOTRON2 = dataclasses.replace(TINY_TACOTRON2, audio=FEW_MELS)
NEMO_SIZED = dataclasses.replace(TACOTRON2, embedding_size=512)


def nvidia_state(layout: str = "2020") -> State:
    return LAYOUTS[layout](latest(waveglow_to_nemo(random_waveglow(SMALL_FILE))))


def expected_audio(layout: str) -> Tensor:
    """Return what our model of the same weights says; the oldest alternate their halves."""
    config = OLD_CONFIG if layout.startswith(("2018", "glow_old")) else SMALL_FILE
    model = WaveGlow(config)
    model.load_state_dict(random_waveglow(SMALL_FILE).state_dict())
    return model.infer(MEL, sigma=0.0)


def said_in_2018(state: State, mel: Tensor) -> Tensor:
    """Speak at sigma 0 as NVIDIA's program of 2018 did, written out for its own layout."""
    weight = folded(state)
    n_frames = mel.shape[-1]
    samples = F.conv_transpose1d(mel, weight["upsample.weight"], weight["upsample.bias"], 256)
    groups = samples[..., : 256 * n_frames].view(1, 8, 32 * n_frames, 8)
    conditions = groups.permute(0, 1, 3, 2).reshape(1, 64, 32 * n_frames)
    z = torch.zeros(1, 4, 32 * n_frames)
    for k in reversed(range(12)):

        def convolve(name: str, x: Tensor, dilation: int = 1, net: str = f"WN.{k}") -> Tensor:
            kernel, bias = weight[f"{net}.{name}.weight"], weight[f"{net}.{name}.bias"]
            padding = dilation * (kernel.shape[2] // 2)
            return F.conv1d(x, kernel, bias, padding=padding, dilation=dilation)

        halves = z.chunk(2, dim=1)
        kept, changed = halves if k % 2 == 0 else halves[::-1]
        hidden, skipped = convolve("start", kept), torch.zeros(1)
        for i in range(SMALL_FILE.n_layers):
            both = convolve(f"in_layers.{i}", hidden, 2**i)
            left, right = (both + convolve(f"cond_layers.{i}", conditions)).chunk(2, dim=1)
            gated = left.tanh() * right.sigmoid()
            skipped = skipped + convolve(f"skip_layers.{i}", gated)
            if i < SMALL_FILE.n_layers - 1:
                hidden = hidden + convolve(f"res_layers.{i}", gated)
        shift, log_scale = convolve("end", skipped).chunk(2, dim=1)
        changed = (changed - shift) / log_scale.exp()
        z = torch.cat([kept, changed] if k % 2 == 0 else [changed, kept], dim=1)
        z = F.conv1d(z, weight[f"convinv.{k}.conv.weight"][..., 0].inverse()[..., None])
        if k in (4, 8):
            z = torch.cat([torch.zeros(1, 2, 32 * n_frames), z], dim=1)
    return z.transpose(1, 2).reshape(1, -1)


@torch.no_grad()
def test_the_oldest_layout_says_what_it_said_in_2018(tmp_path: Path) -> None:
    state = nvidia_state("2018")
    torch.save({"state_dict": state}, tmp_path / "waveglow_old.pt")
    said = read_waveglow(tmp_path / "waveglow_old.pt").infer(MEL, sigma=0.0)
    assert torch.allclose(said, said_in_2018(state, MEL), atol=1e-5)


def read_waveglow(path: Path, **options: object) -> WaveGlow:
    model = read_any(path, mel_max_hz=8_000.0, **options).model  # type: ignore[arg-type]
    assert isinstance(model, WaveGlow)
    return model


def tacotron2_state(model: Tacotron2) -> State:
    return {published_name(name): tensor for name, tensor in model.state_dict().items()}


@pytest.mark.parametrize("is_zip", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_state_dicts_of_every_age_say_the_same(layout: str, is_zip: bool, tmp_path: Path) -> None:
    path = tmp_path / "waveglow.pt"
    content = training_checkpoint(nvidia_state(layout))
    torch.save(content, path, _use_new_zipfile_serialization=is_zip)
    model = read_waveglow(path)
    assert model.config == (OLD_CONFIG if layout.startswith("2018") else SMALL_FILE)
    assert torch.allclose(model.infer(MEL, sigma=0.0), expected_audio(layout), atol=1e-5)


@pytest.fixture(scope="module")
def pickled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of genuinely pickled modules; their classes live in a process that has ended."""
    folder = tmp_path_factory.mktemp("pickled")
    for layout in ("2018", "2019", "2020", "2020, folded"):
        torch.save(nvidia_state(layout), folder / f"{layout}.state.pt")
    torch.save(nvidia_state("2019"), folder / "glow_old.state.pt")
    root = Path(__file__).parents[1]
    subprocess.run(
        [sys.executable, "-m", "tests.pickled_waveglow", folder], cwd=root, check=True, timeout=120
    )
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["zip", "legacy"])
@pytest.mark.parametrize("layout", ["2018", "2019", "2020", "2020, folded", "glow_old"])
def test_pickled_modules_are_read_without_running_them(
    pickled: Path, layout: str, kind: str
) -> None:
    model = read_waveglow(pickled / f"{layout}.{kind}.pt")
    assert torch.allclose(model.infer(MEL, sigma=0.0), expected_audio(layout), atol=1e-5)
    assert "glow" not in sys.modules


@pytest.mark.slow
def test_couplings_can_be_told_where_the_age_does_not_tell(pickled: Path) -> None:
    model = read_waveglow(pickled / "2019.zip.pt", couplings="alternate")
    assert torch.allclose(model.infer(MEL, sigma=0.0), expected_audio("2018"), atol=1e-5)


@pytest.mark.parametrize("name", ["one flow", "large groups"])
def test_sizes_are_inferred_from_shapes(name: str, tmp_path: Path) -> None:
    config = dataclasses.replace(WAVEGLOW_CONFIGS[name], audio=FEW_MELS)
    model = random_waveglow(config)
    torch.save(latest(waveglow_to_nemo(model)), tmp_path / "bare.pt")
    read = read_waveglow(tmp_path / "bare.pt")
    assert torch.allclose(read.infer(MEL, sigma=0.0), model.infer(MEL, sigma=0.0), atol=1e-5)
    assert dataclasses.replace(read.config, n_early_every=1) == dataclasses.replace(
        model.config, n_early_every=1
    )


@pytest.mark.parametrize("prefix", ["", "module.", "module.1."])
def test_a_tacotron2_is_read_weight_for_weight(prefix: str, tmp_path: Path) -> None:
    model = random_tacotron2(TACOTRON2)
    state = {f"{prefix}{name}": tensor for name, tensor in tacotron2_state(model).items()}
    torch.save(training_checkpoint(state), tmp_path / "tacotron2.pt")
    read = read_any(tmp_path / "tacotron2.pt", mel_max_hz=8_000.0).model
    assert read.config == model.config
    for name, tensor in model.state_dict().items():
        assert torch.equal(read.state_dict()[name], tensor)


def test_a_tacotron2_from_before_batches_were_counted_is_whole(tmp_path: Path) -> None:
    state = tacotron2_state(random_tacotron2(TACOTRON2))
    state = {name: t for name, t in state.items() if not name.endswith("num_batches_tracked")}
    torch.save({"state_dict": state}, tmp_path / "tacotron2.pt")
    assert isinstance(read_any(tmp_path / "tacotron2.pt", mel_max_hz=8_000.0).model, Tacotron2)


def test_half_and_double_precision_files_become_single(tmp_path: Path) -> None:
    for dtype in (torch.float16, torch.float64):
        state = {name: tensor.to(dtype) for name, tensor in nvidia_state("2020, folded").items()}
        torch.save(state, tmp_path / "waveglow.pt")
        model = read_waveglow(tmp_path / "waveglow.pt")
        assert model.upsample.weight.dtype == torch.float32
        assert torch.allclose(model.infer(MEL, sigma=0.0), expected_audio("2020"), atol=1e-2)


def test_two_names_may_share_one_storage(tmp_path: Path) -> None:
    state = nvidia_state("2020, folded")
    everything = torch.cat([tensor.flatten() for tensor in state.values()])
    pieces = everything.split([tensor.numel() for tensor in state.values()])
    views = {name: piece.view(state[name].shape) for name, piece in zip(state, pieces, strict=True)}
    torch.save(views, tmp_path / "shared.pt")
    said = read_waveglow(tmp_path / "shared.pt").infer(MEL, sigma=0.0)
    assert torch.allclose(said, expected_audio("2020"), atol=1e-5)


def spoiled_state(change: str) -> State:
    state = nvidia_state("2019")
    if change == "lacks":
        del state["WN.3.start.weight_g"], state["WN.7.end.bias"]
    elif change == "left over":
        state["WN.3.speaker.weight"] = torch.zeros(3)
    elif change == "misshapen":
        state["WN.3.start.bias"] = torch.zeros(7)
    elif change == "twice":
        state["module.WN.3.end.bias"] = state["WN.3.end.bias"]
    elif change == "not finite":
        state["WN.3.start.bias"][0] = float("inf")
    elif change == "no direction":
        state["WN.3.start.weight_v"][2] = 0.0
    elif change == "short upsampling":
        state["upsample.weight"] = state["upsample.weight"][..., :800]
    elif change == "no flows":
        state = {name: t for name, t in state.items() if name.startswith(("upsample", "convinv.0"))}
    return state


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("lacks", r"lacks WN\.3\.start\.weight_g, WN\.7\.end\.bias"),
        ("left over", r"has no place for WN\.3\.speaker\.weight"),
        ("misshapen", r"misshapen WN\.3\.start\.bias \[7\], expected \[16\]"),
        ("twice", r"WN\.3\.end\.bias twice"),
        ("not finite", r"has not finite WN\.3\.start\.bias"),
        ("no direction", r"has not finite WN\.3\.start"),
        ("short upsampling", "800 taps, expected 1024"),
        ("no flows", r"lacks the weight WN\.0\.in_layers\.0\.weight"),
    ],
)
def test_what_does_not_fit_is_named(change: str, told: str, tmp_path: Path) -> None:
    torch.save({"state_dict": spoiled_state(change)}, tmp_path / "waveglow.pt")
    with pytest.raises(PipelineError, match=told) as caught:
        read_waveglow(tmp_path / "waveglow.pt")
    assert "\n" not in str(caught.value)


def test_a_prenet_that_sees_several_frames_is_refused(tmp_path: Path) -> None:
    state = tacotron2_state(random_tacotron2(dataclasses.replace(TACOTRON2, reduction=2)))
    torch.save({"state_dict": state}, tmp_path / "tacotron2.pt")
    with pytest.raises(PipelineError, match="predicts 16 values a step from 8"):
        read_any(tmp_path / "tacotron2.pt", mel_max_hz=8_000.0)


def test_another_model_is_told_by_its_names(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2).state_dict(), tmp_path / "linear.pt")
    with pytest.raises(PipelineError, match=r"neither a Tacotron 2 nor a WaveGlow.*bias, weight"):
        read_any(tmp_path / "linear.pt", mel_max_hz=8_000.0)


def test_the_mels_are_asked_for_and_the_trap_is_told(tmp_path: Path) -> None:
    torch.save(nvidia_state(), tmp_path / "waveglow.pt")
    with pytest.raises(PipelineError, match=r"--mel-max-hz, 8000 .* says 7000"):
        read_any(tmp_path / "waveglow.pt")
    assert (
        read_any(tmp_path / "waveglow.pt", mel_max_hz=7_000).model.config.audio.mel_max_hz == 7_000
    )


# NeMo's archives, written here and read here; that NeMo reads them is in test_parity_nemo.py.


def test_a_waveglow_survives_the_way_to_nemo_and_back(tmp_path: Path) -> None:
    model = random_waveglow(SMALL_FILE)
    write_any(Converted(model, "ours", {}), tmp_path / "waveglow.nemo")
    read = read_any(tmp_path / "waveglow.nemo").model
    assert isinstance(read, WaveGlow)
    assert read.config == model.config
    assert torch.allclose(read.infer(MEL, sigma=0.0), model.infer(MEL, sigma=0.0), atol=1e-5)


def test_a_tacotron2_survives_the_way_to_nemo_and_back(tmp_path: Path) -> None:
    model = random_tacotron2(NEMO_SIZED)
    write_any(Converted(model, "ours", {}), tmp_path / "tacotron2.nemo")
    read = read_any(tmp_path / "tacotron2.nemo").model
    assert read.config == model.config
    for name, tensor in model.state_dict().items():
        assert torch.equal(read.state_dict()[name], tensor)


def test_nemos_energies_are_as_sharp(tmp_path: Path) -> None:
    model = random_tacotron2(dataclasses.replace(NEMO_SIZED, attention_sharpness=3.0))
    write_any(Converted(model, "ours", {}), tmp_path / "tacotron2.nemo")
    read = read_any(tmp_path / "tacotron2.nemo").model
    assert isinstance(read, Tacotron2)
    assert read.config.attention_sharpness == 1.0
    said, again = (
        one.eval().infer(
            torch.tensor([[5, 9, 3]]), generator=torch.Generator().manual_seed(0), max_frames=6
        )
        for one in (model, read)
    )
    torch.testing.assert_close(again.alignment, said.alignment)


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (random_waveglow(WAVEGLOW_CONFIGS["linear prediction"]), "'interpolate', 22"),
        (random_waveglow(WAVEGLOW_CONFIGS["alternate couplings"]), "'alternate', 256"),
        (random_waveglow(dataclasses.replace(SMALL_FILE, matching_rounds=1)), "False, 1, 'second"),
        (random_tacotron2(TACOTRON2), "embedding_size is 16, expected 512"),
        (random_tacotron2(dataclasses.replace(NEMO_SIZED, mel_mean=-5.0)), "standardized"),
        (random_tacotron2(dataclasses.replace(NEMO_SIZED, n_symbols=70)), "70 symbols"),
    ],
)
def test_what_nemo_cannot_hold_is_told(
    model: WaveGlow | Tacotron2, told: str, tmp_path: Path
) -> None:
    with pytest.raises(PipelineError, match=told):
        write_any(Converted(model, "ours", {}), tmp_path / "model.nemo")
    assert list(tmp_path.iterdir()) == []


def rewritten(path: Path, **changes: object) -> Path:
    """Write a WaveGlow archive whose featurizer has other settings."""
    write_any(Converted(random_waveglow(SMALL_FILE), "ours", {}), path, force=True)
    config, weights = read_nemo(path)
    config["preprocessor"] |= changes
    write_nemo(path, config, weights)
    return path


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"mag_power": 2.0}, r"mag_power 2\.0, expected 1\.0"),
        ({"log_zero_guard_type": "add"}, "log_zero_guard_type add, expected clamp"),
        ({"normalize": "per_feature"}, "normalize per_feature, expected None"),
        ({"n_window_size": 800}, "n_window_size 800, expected 1024"),
        ({"highfreq": 7_000}, "filters in it are not those"),
        ({"highfreq": None}, "filters in it are not those"),
        ({"highfreq": "high"}, "mel settings that do not hold"),
        ({"sample_rate": 16_000}, "filters in it are not those"),
        ({"n_window_stride": 0}, "hop_length 0"),
    ],
)
def test_mels_that_are_not_ours_are_refused(
    changes: dict[str, object], told: str, tmp_path: Path
) -> None:
    with pytest.raises(PipelineError, match=told):
        read_any(rewritten(tmp_path / "waveglow.nemo", **changes))


def test_old_nemo_configs_keep_settings_under_params(tmp_path: Path) -> None:
    path = rewritten(tmp_path / "waveglow.nemo")
    config, weights = read_nemo(path)
    config["preprocessor"] = {"cls": "FilterbankFeatures", "params": config["preprocessor"]}
    write_nemo(path, config, weights)
    assert read_any(path).model.config == SMALL_FILE


def test_a_compressed_archive_is_read(tmp_path: Path) -> None:
    path = rewritten(tmp_path / "plain.nemo")
    with tarfile.open(path) as plain, tarfile.open(tmp_path / "gz.nemo", "w:gz") as compressed:
        for member in plain:
            compressed.addfile(member, plain.extractfile(member))
    assert read_any(tmp_path / "gz.nemo").model.config == SMALL_FILE


def test_told_mels_must_agree_with_the_archives(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="mels go to 8000 Hz, not 7000"):
        read_any(rewritten(tmp_path / "waveglow.nemo"), mel_max_hz=7_000.0)


ARPABET = {
    "_target_": "nemo.collections.common.tokenizers.text_to_speech.EnglishPhonemesTokenizer",
    "stresses": True,
    "chars": True,
    "pad_with_space": True,
}


def test_nemos_tokens_are_put_in_the_order_of_our_symbols(tmp_path: Path) -> None:
    tokens = nemo_tokens({"text_tokenizer": ARPABET}, "NeMo")
    embedding = torch.arange(len(tokens), dtype=torch.float32)[:, None].expand(-1, 512)
    ours, read = embedding_of_our_symbols(embedding, tokens, "NeMo")
    seen = {symbol: tokens[int(ours[i, 0])] for i, symbol in enumerate(SYMBOLS)}
    assert seen == read
    for symbol, token in {
        "_": "<pad>",
        " ": " ",
        "'": "'",
        "a": "a",
        "A": "a",
        "@AA1": "AA1",
        "@AA": "AA0",
        "@ZH": "ZH",
        "?": "?",
        ";": ";",
    }.items():
        assert seen[symbol] == token


def test_symbols_without_a_token_are_unknown_but_phones_must_be_there() -> None:
    tokens = nemo_tokens({"text_tokenizer": ARPABET | {"chars": False, "stresses": False}}, "NeMo")
    _, read = embedding_of_our_symbols(torch.zeros(len(tokens), 4), tokens, "NeMo")
    assert (read["a"], read["@AA2"], read["@AA"]) == ("<oov>", "AA", "AA")
    with pytest.raises(PipelineError, match="embeds 5 tokens, but its tokenizer has 44"):
        embedding_of_our_symbols(torch.zeros(5, 4), tokens[:44], "NeMo")
    letters = nemo_tokens({"labels": [" ", "a", "b"]}, "NeMo")
    with pytest.raises(PipelineError, match="has no token for"):
        embedding_of_our_symbols(torch.zeros(6, 4), letters, "NeMo")
    with pytest.raises(PipelineError, match="IPATokenizer tokens, expected EnglishPhonemes"):
        nemo_tokens({"text_tokenizer": {"_target_": "nemo.IPATokenizer"}}, "NeMo")


def arpabet_archive(path: Path) -> tuple[Path, Tacotron2]:
    """Write a NeMo Tacotron 2 that reads ARPAbet tokens."""
    tokens = nemo_tokens({"text_tokenizer": ARPABET}, "NeMo")
    model = random_tacotron2(NEMO_SIZED)
    write_any(Converted(model, "ours", {}), path)
    config, weights = read_nemo(path)
    del config["labels"]
    weights["text_embedding.weight"] = torch.randn(len(tokens), 512)
    write_nemo(path, config | {"text_tokenizer": ARPABET}, weights)
    return path, model


def test_the_way_of_nemos_tokens_is_recorded_in_the_voice(tmp_path: Path) -> None:
    path, _ = arpabet_archive(tmp_path / "tacotron2.nemo")
    converted = read_any(path)
    write_any(converted, tmp_path / "voice")
    assert read_voice(tmp_path / "voice").boundary_symbol == " "
    recorded = read_voice(tmp_path / "voice").provenance["tacotron2"]["nemo_tokens"]
    assert recorded["A"] == "a"
    assert recorded["_"] == "<pad>"
    assert "@AA1" not in recorded  # it reads the token of its own name


# The command.


def run(*arguments: object) -> int:
    return convert.main([str(argument) for argument in arguments])


def test_the_command_writes_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save(nvidia_state(), tmp_path / "waveglow.pt")
    out = tmp_path / "waveglow.safetensors"
    assert run(tmp_path / "waveglow.pt", out, "--mel-max-hz", 8000) == 0
    assert "waveglow from NVIDIA's layout, mels to 8000 Hz" in capsys.readouterr().out
    assert torch.allclose(load_waveglow(out).infer(MEL, sigma=0), expected_audio("2020"), atol=1e-5)
    assert run(tmp_path / "waveglow.pt", out, "--mel-max-hz", 8000) == 1
    assert "--force overwrites it" in capsys.readouterr().err
    assert run(tmp_path / "waveglow.pt", out, "--mel-max-hz", 8000, "--force") == 0


@pytest.mark.slow
def test_a_file_that_hides_its_age_can_be_told_to_alternate(pickled: Path, tmp_path: Path) -> None:
    out = tmp_path / "waveglow.safetensors"
    options = ("--mel-max-hz", 8000, "--alternate-couplings")
    assert run(pickled / "2019.legacy.pt", out, *options) == 0
    assert load_waveglow(out).config == OLD_CONFIG


def test_half_precision_halves_the_file_and_hardly_changes_the_sound(tmp_path: Path) -> None:
    model = random_waveglow(SMALL_FILE)
    whole, half = tmp_path / "whole.safetensors", tmp_path / "half.safetensors"
    save_model(model, whole)
    assert run(whole, half, "--half") == 0
    assert half.stat().st_size < 0.52 * whole.stat().st_size
    said = load_waveglow(half).infer(MEL, sigma=0.0)
    assert torch.allclose(said, model.infer(MEL, sigma=0.0), atol=1e-2)


def test_weights_beyond_half_precision_are_not_halved(tmp_path: Path) -> None:
    model = random_waveglow(SMALL_FILE)
    torch.nn.init.constant_(model.upsample.bias, 1e5)
    with pytest.raises(PipelineError, match=r"upsample\.bias has values beyond half precision"):
        write_any(Converted(model, "ours", {}), tmp_path / "half.safetensors", half=True)


def test_a_missing_input_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "nothing.pt", tmp_path / "out.safetensors") == 1
    error = capsys.readouterr().err
    assert error.startswith("error: Cannot read")
    assert error.count("\n") == 1


def test_two_files_become_a_voice_that_speaks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save(
        {"state_dict": tacotron2_state(random_tacotron2(TACOTRON2))}, tmp_path / "tacotron2.pt"
    )
    torch.save(nvidia_state(), tmp_path / "waveglow.pt")
    voice, vocoder = tmp_path / "ljspeech", tmp_path / "vocoder"
    assert run(tmp_path / "tacotron2.pt", voice, "--mel-max-hz", 8000) == 0
    assert run(tmp_path / "waveglow.pt", vocoder, "--mel-max-hz", 8000) == 0
    apart = Synthesizer.load(voice, vocoder=vocoder, device="cpu").speak("Hello.")
    assert run(tmp_path / "waveglow.pt", voice, "--mel-max-hz", 8000) == 0
    together = Synthesizer.load(voice, device="cpu").speak("Hello.")
    assert len(apart.audio) > 0
    assert (apart.audio == together.audio).all()
    facts = read_voice(voice)
    assert facts.name == "ljspeech"
    assert {"tacotron2", "waveglow"} == set(facts.provenance)
    assert load_tacotron2(voice / facts.tacotron2.file, sha256=facts.tacotron2.sha256)


def test_a_vocoder_for_other_mels_is_refused_with_both_values(tmp_path: Path) -> None:
    torch.save(
        {"state_dict": tacotron2_state(random_tacotron2(TACOTRON2))}, tmp_path / "tacotron2.pt"
    )
    torch.save(nvidia_state(), tmp_path / "waveglow.pt")
    assert run(tmp_path / "tacotron2.pt", tmp_path / "voice", "--mel-max-hz", 8000) == 0
    assert run(tmp_path / "waveglow.pt", tmp_path / "vocoder", "--mel-max-hz", 7000) == 0
    with pytest.raises(PipelineError, match=r"mel_max_hz 7000\.0, the voice with 8000\.0"):
        Synthesizer.load(tmp_path / "voice", vocoder=tmp_path / "vocoder", device="cpu")


def test_a_model_of_other_symbols_is_no_voice(tmp_path: Path) -> None:
    model = random_tacotron2(dataclasses.replace(TACOTRON2, n_symbols=70))
    with pytest.raises(PipelineError, match="reads 70 symbols, this text front end has 148"):
        write_any(Converted(model, "ours", {}), tmp_path / "voice")
    assert not (tmp_path / "voice").exists()


def test_half_does_not_go_with_nemo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "waveglow.pt", tmp_path / "waveglow.nemo", "--half") == 1
    assert "--half does not go with .nemo" in capsys.readouterr().err
