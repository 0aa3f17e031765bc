"""Written forms and how they are read: one line a case, a table for each room."""

import pytest

from text import normalize


def table(cases: str) -> pytest.MarkDecorator:
    """Parametrize a test with lines of `written ~ spoken`."""
    rows = [line.split(" ~ ") for line in cases.strip().splitlines()]
    return pytest.mark.parametrize(("written", "spoken"), [(w.strip(), s.strip()) for w, s in rows])


@table("""
    0 ~ zero
    21 ~ twenty one
    -40 ~ minus forty
    3.14 ~ three point one four
    .5 ~ point five
    1,234,567 ~ one million two hundred thirty four thousand five hundred sixty seven
    12345 ~ twelve thousand three hundred forty five
    007 ~ zero zero seven
    over 1700 youths ~ over seventeen hundred youths
    a .45 caliber ~ a forty five caliber
    1.5 million people ~ one point five million people
    ratio of 3:1 ~ ratio of three to one
    won 3-2 ~ won three to two
    pages 10-12 ~ pages ten to twelve
    1914-18 ~ nineteen fourteen to eighteen
    1939\u20131945 ~ nineteen thirty nine to nineteen forty five
    \u0663\u0664 ~ thirty four
    \uff11\uff12 ~ twelve
    1 234 567 ~ one million two hundred thirty four thousand five hundred sixty seven
    1'234'567 ~ one million two hundred thirty four thousand five hundred sixty seven
    1\u202f234 ~ one thousand two hundred thirty four
    10 000 people ~ ten thousand people
    2.5 bn people ~ two point five billion people
    -5 to -10 ~ minus five to minus ten
    100s of people ~ hundreds of people
    100k runs ~ one hundred k runs
    1,00,000 ~ one hundred thousand
    2-3x faster ~ two to three times faster
    5m users ~ five million users
    1,000s of people ~ thousands of people
""")
def test_plain_numbers(written: str, spoken: str) -> None:
    assert normalize(written) == spoken


@table("""
    1st ~ first
    22nd ~ twenty second
    the 103rd ~ the one hundred third
    9,000,000th ~ nine millionth
    11th ~ eleventh
    3th ~ three th
""")
def test_ordinals(written: str, spoken: str) -> None:
    assert normalize(written) == spoken


@table("""
    1/2 ~ one half
    3/4 ~ three quarters
    2 1/2 ~ two and a half
    3\u00be miles ~ three and three quarters miles
    5/1 ~ five over one
    24/7 ~ twenty four seven
    -1/2 ~ minus one half
    3-1/2 hours ~ three and a half hours
    10/10 ~ ten out of ten
""")
def test_fractions(written: str, spoken: str) -> None:
    assert normalize(written) == spoken


@table("""
    $2.5 million ~ two point five million dollars
    $20.50 ~ twenty dollars, fifty cents
    $0.01 ~ one cent
    $1.506 ~ one point five zero six dollars
    -$5 ~ minus five dollars
    50p ~ fifty pence
    25\u00a2 ~ twenty five cents
    EUR 3 ~ three euros
    3 EUR ~ three euros
    \u00a3180 ~ one hundred eighty pounds
    \u00a31400 ~ fourteen hundred pounds
    \u20ac5,50 ~ five euros, fifty cents
    \u20b9500 ~ five hundred rupees
    CHF 20 ~ twenty Swiss francs
    $5bn ~ five billion dollars
    $5-$10 ~ five dollars to ten dollars
    $5-10 million ~ five to ten million dollars
    a $5 bill ~ a five dollar bill
    \u00a310/wk ~ ten pounds per week
    $ 130,000 . ~ one hundred thirty thousand dollars.
    $5-10 ~ five to ten dollars
    $1.50-2.00 ~ one dollar, fifty cents to two dollars
    $1.2 million-1.5 million ~ one point two million to one point five million dollars
    5,50 \u20ac ~ five euros, fifty cents
    1.000.000 \u20ac ~ one million euros
    \u20ac1.234,56 ~ one thousand two hundred thirty four euros, fifty six cents
    5 Rs ~ five rupees
    5 kr ~ five kroner
    100$ ~ one hundred dollars
    a $5-million deal ~ a five million dollar deal
    $-50 ~ minus fifty dollars
    \u20b95 crore ~ five crore rupees
""")
def test_money(written: str, spoken: str) -> None:
    assert normalize(written) == spoken


@table("""
    5% ~ five percent
    5-10% ~ five to ten percent
    84.16 % ~ eighty four point one six percent
    60 km/h ~ sixty kilometers per hour
    9.8 m/s\u00b2 ~ nine point eight meters per second squared
    38.36 km\u00b2 ~ thirty eight point three six square kilometers
    280.0/km2 ~ two hundred eighty point zero per square kilometer
    -5\u00b0C ~ minus five degrees Celsius
    a 5-km run ~ a five kilometer run
    5'10" ~ five feet ten inches
    10 sq. mi. wide ~ ten square miles wide
    4 1/2 lbs ~ four and a half pounds
    1 mbps ~ one megabit per second
    2-5lb ~ two to five pounds
    60W ~ sixty watts
    10%-20% ~ ten percent to twenty percent
    <5% ~ less than five percent
    the 2.8 V 6 ~ the two point eight V six
    10x20 ~ ten by twenty
    called "1984" ~ called nineteen eighty four
    220 V ~ two hundred twenty volts
    a 60 W bulb ~ a sixty watt bulb
    1.5 A ~ one point five amperes
    seat 5 L ~ seat five L
    70\u00b0 F ~ seventy degrees Fahrenheit
    45\u00b0 N ~ forty five degrees north
    40\u00b0 26' 46" W ~ forty degrees twenty six minutes forty six seconds west
    5 k\u03a9 ~ five kilohms
    5 N\u00b7m ~ five newton meters
    16 fl. oz. of it ~ sixteen fluid ounces of it
    2 tbsp ~ two tablespoons
    150 lb-ft ~ one hundred fifty pound feet
    30 mpg ~ thirty miles per gallon
    10 ppm ~ ten parts per million
    km/h ~ kilometers per hour
    50 people/km\u00b2 ~ fifty people per square kilometer
    ten miles/hour ~ ten miles per hour
    5 kg-10 kg ~ five kilograms to ten kilograms
    12" x 14" ~ twelve inches by fourteen inches
    10 cm \u00d7 20 cm ~ ten centimeters by twenty centimeters
    10 x 20 cm ~ ten by twenty centimeters
    4x4x4 ~ four by four by four
    12' x 8' ~ twelve feet by eight feet
    He is 6'2. ~ He is six feet two.
    the '12' is quoted ~ the twelve is quoted
    30 in. wide ~ thirty inches wide
    5/8 in. thick ~ five eighths of an inch thick
    5 in a row ~ five in a row
    a 3-in-1 tool ~ a three in one tool
    a 5-m pool ~ a five meter pool
    9.58 s ~ nine point five eight seconds
    $3 per lb ~ three dollars per pound
    the price per m\u00b2 ~ the price per square meter
    a 30-min. break ~ a thirty minute break
    BP 120/80 ~ B P one hundred twenty over eighty
    a 5yo boy ~ a five year old boy
    10\u00baC ~ ten degrees Celsius
""")
def test_measures(written: str, spoken: str) -> None:
    assert normalize(written) == spoken


@table("""
    May 5, 2020 ~ May five, twenty twenty
    May 5th, 2020 ~ May fifth, twenty twenty
    June 20 , 1986 ~ June twentieth, nineteen eighty six
    june 20 2014 ~ June twentieth twenty fourteen
    5 May 2020 ~ the fifth of May twenty twenty
    the 9th May ~ the ninth May
    Mon. 3 June ~ Monday the third of June
    2020-05-06 ~ the sixth of May twenty twenty
    5/6/2020 ~ May sixth twenty twenty
    25/12/2020 ~ the twenty fifth of December twenty twenty
    Jan-15-2020 ~ January fifteenth twenty twenty
    only 2 may enter ~ only two may enter
    in 1905 ~ in nineteen oh five
    in 2005 ~ in two thousand five
    in 2024 ~ in twenty twenty four
    In 606, Nineveh fell ~ In six oh six, Nineveh fell
    340 A.D. ~ three forty A D.
    the 1960s ~ the nineteen sixties
    the '80s ~ the eighties
    1960s-1980s ~ nineteen sixties to nineteen eighties
    Mon-Fri, Jan-Mar ~ Monday to Friday, January to March
    1990/91 ~ nineteen ninety to ninety one
    XVIII century ~ eighteenth century
    2Q22 ~ the second quarter of twenty two
    31/31/100 ~ thirty one thirty one one hundred
    1999/2000 ~ nineteen ninety nine to two thousand
    2017/ 2016 ~ twenty seventeen twenty sixteen
    FY2020 ~ F Y twenty twenty
    Q1'20 ~ the first quarter of twenty
    1H 2021 ~ the first half of twenty twenty one
    on Tues. at noon ~ on Tuesday at noon
    See you Thurs. ~ See you Thursday.
    in Sept. we left ~ in September we left
    bought The Sun. ~ bought The Sun.
    on 7/4 ~ on July fourth
    May 5\u20137, 2020 ~ May five to seven, twenty twenty
    5-7 May 2020 ~ the fifth to the seventh of May twenty twenty
    June 1-July 4 ~ June one to July four
    spring '05 ~ spring oh five
    2020Q1 ~ the first quarter of twenty twenty
    Sat. & Sun. ~ Saturday and Sunday.
""")
def test_dates(written: str, spoken: str) -> None:
    assert normalize(written) == spoken


@table("""
    3:30 ~ three thirty
    3:05 pm ~ three oh five P M
    3pm ~ three P M
    at 10 p.m. today ~ at ten P M today
    07:00 ~ seven o'clock
    It ends at 9 p.m. EST. ~ It ends at nine P M E S T.
    a mile in 4:35.2 ~ a mile in four minutes thirty five point two seconds
    15:00 GMT ~ fifteen hundred G M T
    9am-5pm ~ nine A M to five P M
    1:02:03 ~ one hour two minutes and three seconds
    9:30-10:45 ~ nine thirty to ten forty five
    9-10:30 ~ nine to ten thirty
    John 3:16-18 ~ John three sixteen to eighteen
    5h 30m ~ five hours thirty minutes
    1h30 ~ one hour thirty minutes
    2m 5s ~ two minutes five seconds
    14:00h ~ fourteen hundred hours
    2:00-3:30 pm ~ two to three thirty P M
    UTC-5 ~ U T C minus five
    at 0600 hours ~ at oh six hundred hours
""")
def test_times(written: str, spoken: str) -> None:
    assert normalize(written) == spoken


@table("""
    call 555-1234 ~ call five five five, one two three four
    (555) 123-4567 ~ five five five, one two three, four five six seven
    +44 20 7946 0958 ~ plus four four, two zero, seven nine four six, zero nine five eight
    1-800-GO-U-HAUL ~ one, eight hundred, GO, U, HAUL
    111-11-1111 ~ one one one, one one, one one one one
    192.168.0.1 ~ one nine two dot one six eight dot zero dot one
    call 911 ~ call nine one one
    card ending in 8876 ~ card ending in eight eight seven six
    555-1234 x123 ~ five five five, one two three four, extension one two three
    555-1234, ext. 89 ~ five five five, one two three four, extension eighty nine
    tel. 555-1234 ~ telephone five five five, one two three four
    1800 555 123 ~ one eight zero zero, five five five, one two three
    800 555 1234 ~ eight hundred, five five five, one two three four
    4111 1111 1111 1111 ~ four one one one, one one one one, one one one one, one one one one
    +15551234567 ~ plus one five five five one two three four five six seven
    ID: 4521 ~ I D: four five two one
""")
def test_telephones(written: str, spoken: str) -> None:
    assert normalize(written) == spoken


@table("""
    VC836 ~ V C eight three six
    F-16 ~ F sixteen
    B-52s ~ B fifty twos
    MP3 ~ M P three
    25d08A ~ twenty five d zero eight A
    Exhibit No. 133-A ~ Exhibit Number one thirty three A
    Flight 370 ~ Flight three seventy
    v1.2.3 ~ version one dot two dot three
    Apt. 4B ~ Apartment four B
    version 2.0.1 ~ version two dot zero dot one
    ISBN 0-671-07580-2 ~ I S B N o six seven one o seven five eight o two
    a 15-minute talk ~ a fifteen minute talk
    C# and C++ ~ C sharp and C plus plus
    401(k) ~ four oh one K
    501(c)(3) ~ five oh one C three
    a 5* hotel ~ a five star hotel
    CO2 ~ C O two
    H2SO4 ~ H two S O four
    Fe\u2082O\u2083 ~ F E two O three
    a 720p video ~ a seven twenty P video
""")
def test_serials(written: str, spoken: str) -> None:
    assert normalize(written) == spoken


@table("""
    Henry VIII ~ Henry the eighth
    George IV. was ~ George the fourth was
    Pope Sixtus V ~ Pope Sixtus the fifth
    World War II ~ World War two
    chapter IV ~ chapter four
    Super Bowl XLVIII ~ Super Bowl forty eight
    Rocky III ~ Rocky three
    vitamin C ~ vitamin C
    William M. Crosby ~ William M Crosby
    I am ~ I am
    the XIXth century ~ the nineteenth century
    XVIII\u2013XIX centuries ~ eighteenth to nineteenth centuries
    chapter ix ~ chapter nine
    the part i like ~ the part i like
    MCMXCIX ~ nineteen ninety nine
    item (iii) ~ item (three)
    II. Methods ~ two. Methods
    an IV drip ~ an I V drip
""")
def test_roman_numerals(written: str, spoken: str) -> None:
    assert normalize(written) == spoken


@table("""
    123 Main St. ~ one twenty three Main Street.
    2788 San Tomas Expy ~ twenty seven eighty eight San Tomas Expressway
    708 N 1st St, San City ~ seven zero eight North first Street, San City
    1600 Pennsylvania Ave NW ~ sixteen hundred Pennsylvania Avenue Northwest
    San Jose, CA 95126 ~ San Jose, California nine five one two six
    Dr. Smith lives on Elm Dr. ~ Doctor Smith lives on Elm Drive.
    St. Mary's on Main St. ~ Saint Mary's on Main Street.
    on Elm St. It was ~ on Elm Street. It was
    100 N. Main St. ~ one hundred North Main Street.
    1600 Oak Ave. NW, Apt. 5 ~ sixteen hundred Oak Avenue Northwest, Apartment five
    Ste. 100 ~ Suite one hundred
    on Oak Ln. we met ~ on Oak Lane we met
    He lives in Boston, MA. ~ He lives in Boston, Massachusetts.
    N. Korea ~ North Korea
    5th Ave ~ fifth Avenue
    12A Oak Rd ~ twelve A Oak Road
    New York NY 10019 ~ New York New York one zero zero one nine
    Jane Smith, MD, said ~ Jane Smith, M D, said
""")
def test_addresses_and_their_abbreviations(written: str, spoken: str) -> None:
    assert normalize(written) == spoken


@table("""
    No. 5 ~ Number five
    No. I won't. ~ No. I won't.
    # 1 ~ number one
    e.g. cats ~ for example cats
    Mr. and Mrs. Jones ~ Mr and Mrs Jones
    Lt. Col. Smith ~ Lieutenant Colonel Smith
    cats, dogs, etc. ~ cats, dogs, etcetera.
    Smith vs. Jones ~ Smith versus Jones
    J. R. R. Tolkien ~ J R R Tolkien
    the U.S. Army ~ the U S Army
    Washington, D.C. ~ Washington, D C.
    p . 36 ~ p thirty six
    NASA ~ NASA
    the IRS ~ the I R S
    WWRDs ~ W W R D's
    the NRK's ~ the N R K's
    NEVER do that ~ NEVER do that
    w/o it ~ without it
    WWII ~ World War two
    Dr. and Mrs. Smith ~ Doctor and Mrs Smith
    AT&T ~ A T and T
    IT IS HERE ~ IT IS HERE
    approx. 5 ~ approximately five
    dr. Evil ~ doctor Evil
    pp. 12-15 ~ pages twelve to fifteen
    See p. 5, ch. 2. ~ See page five, chapter two.
    Ch. IV ~ Chapter four
    est. 1850 ~ established eighteen fifty
    est. 500 people ~ estimated five hundred people
    c. 1850 ~ circa eighteen fifty
    Roe v. Wade ~ Roe versus Wade
    its speed in mph ~ its speed in miles per hour
    aka Bob ~ A K A Bob
    and/or ~ and or
    He/she left ~ He or she left
    the TCP/IP stack ~ the T C P I P stack
    rock 'n' roll ~ rock n roll
    Dr. Who ~ Doctor Who
    M&Ms ~ M and M's
    a bgz file ~ a B G Z file
    hmm, psst ~ hmm, psst
    b. 1950 ~ born nineteen fifty
    No. 10 Downing St. ~ Number ten Downing Street.
    no. of items ~ number of items
    the 2nd ed. of it ~ the second edition of it
    Smith Bros. Inc. said ~ Smith Brothers Incorporated said
    the U.S.'s army ~ the U S's army
    Max. 5 people, said Max. ~ Maximum five people, said Max.
    5 min. 30 sec. later ~ five minutes thirty seconds later
""")
def test_abbreviations_and_initialisms(written: str, spoken: str) -> None:
    assert normalize(written) == spoken


@table("""
    write to jo@example.com. ~ write to jo at example dot com.
    www.example.com/a_b ~ W W W dot example dot com slash A underscore B
    https://example.org ~ H T T P S colon slash slash example dot org
    a photo.jpg ~ a photo dot jpeg
    C:\\Temp\\x ~ C colon backslash Temp backslash X
    @john_doe ~ at john underscore doe
    #ThrowbackThursday ~ hash Throwback Thursday
    the end.In short ~ the end. In short
    upgrade/update ~ upgrade slash update
""")
def test_electronic_addresses(written: str, spoken: str) -> None:
    assert normalize(written) == spoken


@table("""
    2 + 2 = 4 ~ two plus two equals four
    1- 2 = 5 ~ one minus two equals five
    2x - 3 = 0 ~ two x minus three equals zero
    y=x +1 ~ y equals x plus one
    10 \u00f7 2 ~ ten divided by two
    x\u00b2 ~ x squared
    2^10 ~ two to the tenth power
    \u221a2 ~ the square root of two
    5 > 3 ~ five is greater than three
    a \u2264 b ~ a is less than or equal to b
    \u03c0 ~ pi
    >=5 ~ greater than or equal to five
    x != 5 ~ x is not equal to five
    \u22485 ~ approximately five
    5 \u00b1 2 ~ five plus or minus two
    3 x 4 = 12 ~ three times four equals twelve
    1.5e-3 ~ one point five times ten to the minus three
    6.02 x 10^23 ~ six point zero two times ten to the twenty third power
    10\u207b\u00b3 ~ ten to the minus three
    x\u2074 ~ x to the fourth power
    E = mc\u00b2 ~ E equals m c squared
    8 / 2 = 4 ~ eight divided by two equals four
    5! = 120 ~ five factorial equals one hundred twenty
    f(x) = x/2 ~ f of x equals x over two
    A -> B ~ A to B
    10^8 m/s ~ ten to the eighth power meters per second
""")
def test_mathematics(written: str, spoken: str) -> None:
    assert normalize(written) == spoken


@table("""
    rock & roll ~ rock and roll
    \u00a7 5 ~ section five
    \u00a9 2020 ~ copyright twenty twenty
    \U0001f600 ~ grinning face
    I \u2764\ufe0f NY ~ I heart N Y
    na\u00efve caf\u00e9 ~ na\u00efve caf\u00e9
    \u041f\u0440\u0438\u0432\u0435\u0442 ~ Privet
    Hello... world ~ Hello, world
    wait -- what? ~ wait, what?
    wait \u2014 what? ~ wait, what?
    "Hello," he said. ~ Hello, he said.
    'hello' ~ hello
    What?! No!!! ~ What? No!
    - item ~ item.
    ( 2005 ) . ~ (two thousand five).
    the organisation's colour ~ the organization's color
    they advise an uncompromising exercise ~ they advise an uncompromising exercise
    popularised pluralisation ~ popularized pluralization
    go <noise/> home ~ go noise home
    as he says.\u00b9 ~ as he says.
    \u00b6 5 ~ paragraph five
    _so_ good :) ~ so good
    'Twas ~ 'Twas
""")
def test_symbols_punctuation_and_spelling(written: str, spoken: str) -> None:
    assert normalize(written) == spoken
