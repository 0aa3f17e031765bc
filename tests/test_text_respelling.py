"""Pronunciations as people write them become phones, or one line that says what to write."""

import pytest

from text import TextError
from text.respelling import parse_pronunciation

PRONUNCIATIONS = {
    "koo-ber-NET-eez": "K UW0 B ER0 N EH1 T IY0 Z",
    "koo-ber-net-eez": "K UW0 B ER0 N EH1 T IY0 Z",  # the last but one is stressed
    "NWIN": "N W IH1 N",
    "shiv-AWN": "SH IH0 V AO1 N",
    "yoo-BOON-too": "Y UW0 B UW1 N T UW0",
    "SEE-kwul": "S IY1 K W AH0 L",
    "PY-thun": "P AY1 TH AH0 N",
    "LIN-uks": "L IH1 N AH0 K S",
    "JACK-al": "JH AE1 K AE0 L",
    "ZHOHR-zhoh": "ZH OW1 R ZH OW0",
    "HAM-mer": "HH AE1 M M ER0",
    "kube": "K UW1 B",
    "K UW2 B ER0": "K UW2 B ER0",
    " {HH AH0 L OW1} ": "HH AH0 L OW1",
    "/h\u0259\u02c8lo\u028a/": "HH AH0 L OW1",
}


@pytest.mark.parametrize(("written", "phones"), PRONUNCIATIONS.items())
def test_a_pronunciation_is_read(written: str, phones: str) -> None:
    assert " ".join(parse_pronunciation(written)) == phones


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("", "'' is no syllable; write such as koo-ber-NET-eez"),
        ("x-1", "'1' is no syllable"),
        ("{HH QQ}", "'QQ' in {HH QQ} is not an ARPAbet phone"),
    ],
)
def test_what_cannot_be_read_is_said(written: str, message: str) -> None:
    with pytest.raises(TextError, match=message):
        parse_pronunciation(written)
