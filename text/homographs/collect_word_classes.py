"""Write the table of word classes: `python -m text.homographs.collect_word_classes infl_lu.csv.gz`.

The file lies in the folder `lemminflect/resources` of the package LemmInflect 0.2.3 (MIT licence).
Its lines are a lemma, its part of speech, and its inflected forms.
"""

import argparse
import gzip
import lzma
import sys
from collections import defaultdict
from pathlib import Path

from text.homographs.word_classes import TABLE_PATH


def main() -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m text.homographs.collect_word_classes", description=__doc__
    )
    parser.add_argument("table", type=Path, help="infl_lu.csv.gz of LemmInflect")
    args = parser.parse_args()
    lines = gzip.decompress(args.table.read_bytes()).decode("utf-8").splitlines()
    by_kind = defaultdict(list)
    for word, kinds in sorted(_collect(lines).items()):
        by_kind["".join(sorted(kinds))].append(word)
    rows = [" ".join((kind, *words)) for kind, words in sorted(by_kind.items())]
    TABLE_PATH.write_bytes(lzma.compress("\n".join(rows).encode("ascii"), preset=9))
    return 0


def _collect(lines: list[str]) -> dict[str, set[str]]:
    kinds: dict[str, set[str]] = defaultdict(set)
    for line in lines:
        lemma, part_of_speech, *forms = line.lower().split(",")
        for kind, variants in _forms(lemma, part_of_speech, forms):
            for word in variants.split("/"):
                if word.isascii() and word.isalpha():
                    kinds[word].add(kind)
    return kinds


def _forms(lemma: str, part_of_speech: str, forms: list[str]) -> list[tuple[str, str]]:
    """Return the letter of each form with the words it has."""
    if part_of_speech == "noun":
        return [("N", lemma), ("S", forms[0])]
    if part_of_speech == "verb":
        past, participle, present_participle, third_person = (*forms, "", "", "", "")[:4]
        return [
            ("V", lemma),
            ("D", past),
            ("E", participle or past),
            ("G", present_participle),
            ("Z", third_person),
        ]
    letter = {"adj": "J", "adv": "R"}.get(part_of_speech)
    return [(letter, word) for word in (lemma, *forms)] if letter else []


if __name__ == "__main__":
    sys.exit(main())
