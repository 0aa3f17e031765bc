"""A trace tells which rule changed which part of a text, and leads to what is spoken."""

from hypothesis import given, settings
from hypothesis import strategies as st

from text import TextError, markdown, normalize
from text.characters import TIDY
from text.normalizer import RULES
from text.phrasing import add_pauses
from text.spans import split_spans
from text.trace import Change, follow, trace

ANY_TEXT = st.one_of(
    st.text(max_size=60),
    st.text("0123456789 .,:;/-$%()'\"{}abAIVXmkp@#*_|[]`\n", max_size=50),
    st.sampled_from(
        [
            "Dr. Lee paid $5 on 3/4/2021 \u2014 see {HH AH0 L OW1} \U0001f44d\U0001f3fd at x.org.",
            "# A *heading*\n- 10\u207b\u00b3 mol/L\n- r\u00e9sum\u00e9, 5\u202f000 km\u00b2",
        ]
    ),
)


def test_each_rule_has_a_name_of_its_own() -> None:
    names = [rule.name for rule in (*markdown.RULES, *RULES, *TIDY)]
    assert sorted(names) == sorted(set(names))
    assert all(name.strip() == name != "" for name in names)


def test_a_change_names_its_rule_its_span_and_both_readings() -> None:
    assert trace("He paid $5.") == [Change("money", 8, 10, "$5", "five dollars")]


def test_spans_are_those_of_the_written_text_after_other_rules_too() -> None:
    written = "Dr.  Lee, no. 5, left at 5:30 p.m."
    changes = {change.rule: written[change.start : change.end] for change in trace(written)}
    assert changes["title at the beginning"] == "Dr.  "
    assert changes["No. before a number"].strip() == "no."
    assert changes["number"] == "5"
    assert changes["time with a.m. or p.m."] == "5:30 p.m"


def test_a_rule_that_reads_the_words_of_another_shows_them() -> None:
    (link, address) = trace("[it](http://x) at one.org")
    assert (link.rule, link.before, link.after) == ("link or picture", "[it](http://x)", "it")
    assert (address.rule, address.start, address.end) == ("domain", 18, 25)


def test_pauses_are_changes_too() -> None:
    long = (
        "the men and the women of the village went to the river because they had been thirsty since"
        " dawn"
    )
    assert [change.rule for change in trace(long)] == ["pause at a clause"]


@settings(max_examples=300, deadline=None)
@given(ANY_TEXT)
def test_the_rules_of_a_trace_make_what_normalize_makes(text: str) -> None:
    try:
        normalized = normalize(text)
    except TextError:
        return
    followed = follow(text)
    assert followed.text == normalized
    assert len(followed.origins) == len(normalized)


@settings(max_examples=200, deadline=None)
@given(ANY_TEXT)
def test_every_span_lies_in_the_written_text(text: str) -> None:
    try:
        changes = trace(text)
    except TextError:
        return
    assert all(0 <= change.start <= change.end <= len(text) for change in changes)
    assert all(change.before.split() != change.after.split() for change in changes)


@settings(max_examples=200, deadline=None)
@given(ANY_TEXT)
def test_what_no_change_covers_is_spoken_as_it_is_written(text: str) -> None:
    try:
        changes = trace(text)
        spoken = iter(normalize(text))
    except TextError:
        return
    covered = {place for change in changes for place in range(change.start, change.end)}
    left = (char for place, char in enumerate(text) if place not in covered and not char.isspace())
    assert all(char in spoken for char in left)  # in this order: the iterator goes on


@settings(max_examples=200, deadline=None)
@given(ANY_TEXT)
def test_a_text_goes_through_the_rules_in_their_order(text: str) -> None:
    try:
        followed = follow(text)
        changes = trace(text)
    except TextError:
        return
    order = [rule.name for rule in (*markdown.RULES, *RULES)]
    if len(split_spans(text)) == 1:  # each piece between spans of phones goes through them all
        places = [order.index(change.rule) for change in changes if change.rule in order]
        assert places == sorted(places)
    starts = [start for start, _ in followed.origins]
    assert starts == sorted(starts)


@settings(max_examples=100, deadline=None)
@given(ANY_TEXT)
def test_a_text_that_no_rule_changes_has_no_trace(text: str) -> None:
    try:
        spoken = add_pauses(normalize(text))
        changes = trace(text)
    except TextError:
        return
    if not changes:
        assert "".join(spoken.split()) == "".join(text.split())
