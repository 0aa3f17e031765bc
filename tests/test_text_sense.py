"""What people paste into such a program, and how a good reader says it."""

import re
from pathlib import Path

import pytest

from text import normalize

EVERYDAY_FORMS = Path(__file__).with_name("everyday_forms.tsv")
"""Category, written, spoken; `{a|b}` in spoken are readings that are equally good."""


def table(cases: str) -> pytest.MarkDecorator:
    """Parametrize a test with lines of `written ~ spoken`; `|n|` in written is a line break."""
    rows = [line.split(" ~ ") for line in cases.strip().splitlines()]
    return pytest.mark.parametrize(
        ("written", "spoken"), [(w.strip().replace("|n|", "\n"), s.strip()) for w, s in rows]
    )


@table("""
    A crowd of 85000 cheered. ~ A crowd of eighty five thousand cheered.
    Population: 37468 ~ Population: thirty seven thousand four hundred sixty eight
    1776 rooms ~ one thousand seven hundred seventy six rooms
    1342 registered voters ~ one thousand three hundred forty two registered voters
    7800000000 people ~ seven billion eight hundred million people
    a total of 1953 votes ~ a total of one thousand nine hundred fifty three votes
    1 in 1024 people ~ one in one thousand twenty four people
    In 1998 prices rose. ~ In nineteen ninety eight prices rose.
    the 2008 elections ~ the two thousand eight elections
    the class of 2024 graduates ~ the class of twenty twenty four graduates
    from 1914 to 1918 millions died ~ from nineteen fourteen to nineteen eighteen millions died
    the throne in 1837 and died ~ the throne in eighteen thirty seven and died
    1.234.500 votes ~ one million two hundred thirty four thousand five hundred votes
    1_000_000 rows ~ one million rows
    0042 ~ zero zero four two
    4155552671 ~ four one five five five five two six seven one
""")
def test_a_bare_number_is_a_quantity_or_a_year(written: str, spoken: str) -> None:
    assert normalize(written) == spoken


@table("""
    ZIP code 90210 ~ ZIP code nine zero two one zero
    his PIN is 1234 ~ his PIN is one two three four
    Order #48213 has shipped. ~ Order number four eight two one three has shipped.
    Order 48213 was late. ~ Order four eight two one three was late.
    Order 500 parts. ~ Order five hundred parts.
    call 300 people ~ call three hundred people
    case no. 20-1234 ~ case number two zero one two three four
    employee ID is 10442 ~ employee I D is one zero four four two
    text STOP to 12345 ~ text STOP to one two three four five
    call or text 988 ~ call or text nine eight eight
    press * to go on ~ press star to go on
    90210-1234 ~ nine zero two one zero, one two three four
    a 404 error ~ a four oh four error
    404 people ~ four hundred four people
    Highway 101 ~ Highway one oh one
    take hwy 61 ~ take highway sixty one
    I-95 N ~ I ninety five North
    a Boeing 737-800 ~ a Boeing seven thirty seven eight hundred
    RTX 4090 ~ R T X forty ninety
    ISO 9001 ~ I S O nine thousand one
""")
def test_its_neighbours_make_a_number_a_code(written: str, spoken: str) -> None:
    assert normalize(written) == spoken


@table("""
    I'd give it 9/10. ~ I'd give it nine out of ten.
    I rate it 4.5/5 stars. ~ I rate it four point five out of five stars.
    18/20 on the quiz ~ eighteen out of twenty on the quiz
    nearly 9/10 dentists ~ nearly nine tenths dentists
    He ate 1/5. ~ He ate one fifth.
    a 3/5 majority ~ a three fifths majority
    120/80 ~ one hundred twenty over eighty
    10/31 ~ October thirty first
    3/16 of it ~ three sixteenths of it
    the 10K in 31:07 ~ the ten K in thirty one oh seven
    she ran it in 22:00 ~ she ran it in twenty two minutes
    the train at 22:31 ~ the train at twenty two thirty one
    a 60:40 split ~ a sixty to forty split
    lights out at 00:00 ~ lights out at midnight
    45s remaining ~ forty five seconds remaining
    wait 30s and retry ~ wait thirty seconds and retry
    in her 30s ~ in her thirties
    30m ago ~ thirty minutes ago
    2021-03-04T10:30:00Z ~ the fourth of March twenty twenty one ten thirty U T C
    Jan-15 ~ January fifteenth
    15-Jan ~ the fifteenth of January
    15-Jan-2024 ~ the fifteenth of January twenty twenty four
    Jan-2024 ~ January twenty twenty four
    Q3 FY24 results ~ Q three F Y twenty four results
    every Sat/Sun ~ every Saturday and Sunday
    the 18th c. was ~ the eighteenth century was
    Gen. 1:1 ~ Genesis one verse one
    1 Cor. 13:4-7 ~ First Corinthians thirteen four to seven
    two 100s and three 50s ~ two hundreds and three fifties
""")
def test_ratings_times_dates_and_verses(written: str, spoken: str) -> None:
    assert normalize(written) == spoken


@table("""
    10^-3 mol/L ~ ten to the minus three moles per liter
    6.022\u00d710\u00b2\u00b3 ~ six point zero two two times ten to the twenty third power
    a 12KG bag ~ a twelve kilogram bag
    a 2L bottle ~ a two liter bottle
    2L bottle ~ two liter bottle
    5km away ~ five kilometers away
    a 45\u00b0 angle ~ a forty five degree angle
    25 bps to 5.25% ~ twenty five basis points to five point two five percent
    p<.001 ~ p is less than point zero zero one
    5x faster ~ five times faster
    a $1.5 billion deal ~ a one point five billion dollar deal
    $1 million dollars ~ one million dollars
    \u0394T ~ delta T
    C++ and C# and .NET ~ C plus plus and C sharp and dot NET
    2.0.1-beta ~ two dot zero dot one-beta
    iOS and macOS ~ i O S and mac O S
    several CEOs ~ several C E O's
    up 5% YoY ~ up five percent year over year
    a B- in math ~ a B minus in math
    Ctrl+C ~ Control plus C
    N. Main St. was ~ North Main Street was
    gr8, thx ~ great, thanks
""")
def test_units_signs_and_names(written: str, spoken: str) -> None:
    assert normalize(written) == spoken


@table("""
    # Heading ~ Heading.
    ## Why? ## ~ Why?
    # 1 ~ number one
    # A|n|text ~ A. text
    Title|n|=====|n|Text ~ Title. Text
    - eggs|n|- milk ~ eggs. milk.
    * one|n|* two! ~ one. two!
    - [ ] Pay|n|- [x] Book ~ Pay. Book.
    1. Wash|n|2. Dry ~ one. Wash. two. Dry.
    One paragraph|n||n|another ~ One paragraph. another
    > quoted ~ quoted
    > 5 ~ more than five
    use `git push` now ~ use git push now
    ```python|n|print(5)|n|``` ~ print (five)
    [the docs](https://example.org/a_(b)) ~ the docs
    ![a cat](cat.png "title") sat ~ a cat sat
    **$5** and *it* ~ five dollars and it
    2 * 3 * 4 ~ two times three times four
    true.[1] Next ~ true. Next
    | Name | Age ||n||---|---||n|| Bob | 42 | ~ Name, Age. Bob, forty two.
    <b>Hello</b><br/>you &amp; me ~ Hello you and me
    We love \U0001f1ef\U0001f1f5! ~ We love flag of Japan!
    hi \U0001f44b\U0001f3fd ~ hi waving hand
    \U0001f937\u200d\u2642\ufe0f ~ shrug
""")
def test_markdown_html_and_emoji(written: str, spoken: str) -> None:
    assert normalize(written) == spoken


def canonical(reading: str) -> str:
    """Return the letters of a reading: case, marks, spaces and the word "and" do not matter."""
    words = re.findall(r"[^\W_]+", reading.lower())
    return "".join(word for word in words if word != "and")


def readings(spoken: str) -> re.Pattern[str]:
    """Return the pattern of all readings that `spoken` allows."""
    parts = re.split(r"(\{[^{}]*\})", spoken)
    choices = (part.strip("{}").split("|") for part in parts)
    return re.compile("".join(f"(?:{'|'.join(map(canonical, many))})" for many in choices))


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        row.split("\t")[1:]
        for row in EVERYDAY_FORMS.read_text(encoding="utf-8").splitlines()
        if not row.startswith("#")
    ],
)
def test_everyday_forms_are_read_as_a_careful_reader_would(written: str, spoken: str) -> None:
    read = normalize(written.replace("\\n", "\n"))
    assert readings(spoken).fullmatch(canonical(read)), (read, spoken)
