"""Tables of units of measure and currencies: a new one is a new row."""

from typing import NamedTuple


class Unit(NamedTuple):
    """How one and several of a unit are called."""

    one: str
    many: str


class Currency(NamedTuple):
    """How one and several of a currency and of its hundredth part are called."""

    one: str
    many: str
    cent: str
    cents: str


# Written forms, separated by spaces; singular; plural where it is not the singular with an s.
_UNIT_ROWS = (
    ("km kms", "kilometer"),
    ("m", "meter"),
    ("cm cms", "centimeter"),
    ("mm", "millimeter"),
    ("um", "micrometer"),
    ("nm", "nanometer"),
    ("mi", "mile"),
    ("yd yds", "yard"),
    ("ft", "foot", "feet"),
    ("kg kgs", "kilogram"),
    ("g gm", "gram"),
    ("mg", "milligram"),
    ("ug mcg", "microgram"),
    ("lb lbs", "pound"),
    ("oz", "ounce"),
    ("ha", "hectare"),
    ("L l", "liter"),
    ("mL ml", "milliliter"),
    ("cl", "centiliter"),
    ("dL dl", "deciliter"),
    ("hl", "hectoliter"),
    ("gal", "gallon"),
    ("qt", "quart"),
    ("pt", "pint"),
    ("cc", "CC", "CC"),
    ("h hr hrs", "hour"),
    ("min mins", "minute"),
    ("sec secs", "second"),
    ("ms", "millisecond"),
    ("us", "microsecond"),
    ("ns", "nanosecond"),
    ("wk wks", "week"),
    ("yr yrs", "year"),
    ("mo mos", "month"),
    ("mph", "mile per hour", "miles per hour"),
    ("kph kmh", "kilometer per hour", "kilometers per hour"),
    ("fps", "frame per second", "frames per second"),
    ("rpm", "revolution per minute", "revolutions per minute"),
    ("bpm", "beat per minute", "beats per minute"),
    ("kn", "knot"),
    ("Hz", "hertz", "hertz"),
    ("kHz KHz khz", "kilohertz", "kilohertz"),
    ("MHz", "megahertz", "megahertz"),
    ("GHz", "gigahertz", "gigahertz"),
    ("W", "watt"),
    ("mW", "milliwatt"),
    ("kW", "kilowatt"),
    ("MW", "megawatt"),
    ("GW", "gigawatt"),
    ("TW", "terawatt"),
    ("Wh", "watt hour"),
    ("kWh", "kilowatt hour"),
    ("MWh", "megawatt hour"),
    ("GWh", "gigawatt hour"),
    ("TWh", "terawatt hour"),
    ("hp bhp", "horsepower", "horsepower"),
    ("V", "volt"),
    ("mV", "millivolt"),
    ("kV", "kilovolt"),
    ("mA", "milliampere"),
    ("mAh", "milliampere hour"),
    ("J", "joule"),
    ("kJ", "kilojoule"),
    ("MJ", "megajoule"),
    ("eV", "electron volt"),
    ("keV", "kiloelectron volt"),
    ("MeV", "megaelectron volt"),
    ("GeV", "gigaelectron volt"),
    ("kcal", "kilocalorie"),
    ("cal", "calorie"),
    ("N", "newton"),
    ("kN", "kilonewton"),
    ("Nm", "newton meter"),
    ("Pa", "pascal"),
    ("kPa", "kilopascal"),
    ("MPa", "megapascal"),
    ("hPa", "hectopascal"),
    ("mbar", "millibar"),
    ("psi", "pound per square inch", "pounds per square inch"),
    ("dB", "decibel"),
    ("lm", "lumen"),
    ("mol", "mole"),
    ("mmol", "millimole"),
    ("ohm ohms", "ohm"),
    ("kB KB", "kilobyte"),
    ("MB", "megabyte"),
    ("GB", "gigabyte"),
    ("TB", "terabyte"),
    ("PB", "petabyte"),
    ("KiB", "kibibyte"),
    ("MiB", "mebibyte"),
    ("GiB", "gibibyte"),
    ("kbps Kbps", "kilobit per second", "kilobits per second"),
    ("mbps Mbps", "megabit per second", "megabits per second"),
    ("gbps Gbps", "gigabit per second", "gigabits per second"),
    ("kbit", "kilobit"),
    ("Mbit", "megabit"),
    ("Gbit", "gigabit"),
    ("px", "pixel"),
    ("dpi", "dot per inch", "dots per inch"),
    ("MP", "megapixel"),
    ("sqft", "square foot", "square feet"),
    ("sqm", "square meter"),
    ("°C ℃", "degree Celsius", "degrees Celsius"),
    ("°F ℉", "degree Fahrenheit", "degrees Fahrenheit"),
    ("°K", "kelvin"),
    ("°", "degree"),
    ("%", "percent", "percent"),
)

# The same for currencies: written before or after the amount; one, many, hundredth, hundredths.
_CURRENCY_ROWS = (
    ("$", "dollar", "dollars", "cent", "cents"),
    ("US$ USD", "US dollar", "US dollars", "cent", "cents"),
    ("A$ AU$ AUD", "Australian dollar", "Australian dollars", "cent", "cents"),
    ("C$ CA$ CAD", "Canadian dollar", "Canadian dollars", "cent", "cents"),
    ("NZ$ NZD", "New Zealand dollar", "New Zealand dollars", "cent", "cents"),
    ("HK$ HKD", "Hong Kong dollar", "Hong Kong dollars", "cent", "cents"),
    ("S$ SGD", "Singapore dollar", "Singapore dollars", "cent", "cents"),
    ("£ GBP", "pound", "pounds", "penny", "pence"),
    ("€ EUR", "euro", "euros", "cent", "cents"),
    ("¥ JPY", "yen", "yen", "sen", "sen"),
    ("CNY RMB", "yuan", "yuan", "fen", "fen"),
    ("₹ INR Rs Rs.", "rupee", "rupees", "paisa", "paise"),
    ("₩ KRW", "won", "won", "jeon", "jeon"),
    ("₽ RUB", "ruble", "rubles", "kopeck", "kopecks"),
    ("₺ TRY", "lira", "lira", "kurus", "kurus"),
    ("₪ ILS", "shekel", "shekels", "agora", "agorot"),
    ("₦ NGN", "naira", "naira", "kobo", "kobo"),
    ("₱ PHP", "peso", "pesos", "centavo", "centavos"),
    ("CHF", "Swiss franc", "Swiss francs", "centime", "centimes"),
    ("R$ BRL", "real", "reais", "centavo", "centavos"),
    ("MXN", "Mexican peso", "Mexican pesos", "centavo", "centavos"),
    ("SEK", "Swedish krona", "Swedish kronor", "ore", "ore"),
    ("NOK", "Norwegian krone", "Norwegian kroner", "ore", "ore"),
    ("DKK", "Danish krone", "Danish kroner", "ore", "ore"),
    ("PLN", "zloty", "zlotys", "grosz", "groszy"),
    ("ZAR", "rand", "rand", "cent", "cents"),
)

UNITS = {
    name: Unit(row[1], row[2] if len(row) > 2 else f"{row[1]}s")
    for row in _UNIT_ROWS
    for name in row[0].split()
}
CURRENCIES = {name: Currency(*row[1:]) for row in _CURRENCY_ROWS for name in row[0].split()}
RATES = {
    **{name: unit.one for name, unit in UNITS.items() if name not in ("\u00b0", "%")},
    **{name: name for name in ("second", "minute", "hour", "day", "week", "month", "year")},
    **{name: name for name in ("person", "head", "night", "unit", "share", "acre", "ton", "mile")},
    **{"s": "second", "d": "day", "in": "inch"},
}
"""What may stand after the stroke of a rate ("\u00a310/wk")."""
