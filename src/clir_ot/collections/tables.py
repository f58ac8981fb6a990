"""Tables of text: tab-separated fields, quoted as CSV or not, and lines of column names."""

import csv
import re
from collections.abc import Callable, Iterator, Sequence

from clir_ot.collections.languages import find_code, same_language
from clir_ot.collections.quoting import unquoted
from clir_ot.errors import UserError, stop
from clir_ot.files import P, text_lines

ENGLISH = "en"
_LONGEST = 2**31 - 1  # characters of a field; the library's own limit is 131,072

# What files call their two sides where they name no language, and what they put beside a language's name.
_SOURCE, _TARGET = {"source", "src"}, {"target", "tgt", "trg", "foreign", "translation", "nonenglish"}
_BESIDE = {"text", "texts", "sentence", "sentences", "segment", "lang", "language"}
_LONGEST_NAME = 40  # a text is longer than any name of a column
_CODE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z]{2,4}){0,2}")


def read_rows(
    path: P, is_csv: bool, delimiter: str = "\t", report: Callable[[P, str], None] = stop
) -> Iterator[tuple[str, list[str]]]:
    """Yield `("FILE:LINE", fields)` of every record that is not blank; the line is that where it begins.

    Args:
        is_csv: whether fields may be quoted, and then hold delimiters and line ends; else a record is a line, and of
            fields only those that are surely quoted (`unquoted`) are read without the quotes.
        report: takes what is no text, see `text_lines`.

    Raises:
        UserError: the file cannot be read; quotes that CSV does not know, or that nothing closes.
    """
    if not is_csv:
        for place, line in text_lines(path, report):
            if line and not line.isspace():
                fields = line.split(delimiter)
                yield place, [unquoted(field) for field in fields] if '""' in line else fields
        return
    csv.field_size_limit(_LONGEST)
    places: list[str] = []  # of the lines of a record

    def lines() -> Iterator[str]:
        for place, line in text_lines(path, report):
            places.append(place)
            yield f"{line}\n"

    try:
        for fields in csv.reader(lines(), delimiter=delimiter, strict=True):
            if any(field and not field.isspace() for field in fields):
                yield places[0], fields
            places.clear()
    except csv.Error as error:
        raise UserError(f"{places[0] if places else path}: cannot be read as quoted fields ({error})") from error


def named_columns(fields: Sequence[str], language: str, place: str) -> tuple[int, int] | None:
    """Where English and the foreign side stand, if a record names columns and is no pair; else None.

    They are named by a code or a name of the language, alone or as in `english_text`; or as source and target.

    Raises:
        UserError: beside English, another language alone is named; or several that may be meant.
    """
    words = [_words(field) if len(field) < _LONGEST_NAME else [] for field in fields]
    is_english = [
        bool(some) and (some in (["en"], ["eng"], ["english"]) or same_language(field, ENGLISH))
        for field, some in zip(fields, words, strict=True)
    ]
    sources = [i for i, some in enumerate(words) if len(some) == 1 and some[0] in _SOURCE]
    targets = [i for i, some in enumerate(words) if some and "".join(some) in _TARGET]
    english = next((i for i, is_so in enumerate(is_english) if is_so), sources[0] if sources else None)
    if english is None:
        return None
    codes = {
        code: i
        for i, some in enumerate(words)
        if i not in (english, *sources, *targets)
        and (code := _language(fields[i], some))
        and not same_language(code, ENGLISH)
    }
    code = find_code(codes, language, place)
    if code is None and codes and is_english[english] and len(fields) == 2:
        raise UserError(f"{place}: names the columns {' and '.join(fields)}; expected one in {language}")
    found = [codes[code]] if code is not None else targets
    return (english, found[0]) if found else None


def _words(field: str) -> list[str]:
    return [word for word in re.findall(r"[^\W\d_]+", field.casefold()) if word not in _BESIDE]


def _language(field: str, words: list[str]) -> str | None:
    """The language that a column is named after."""
    import langcodes

    for code in (field, *words):
        if _CODE.fullmatch(code) and (tag := langcodes.get(code.replace("_", "-"))).is_valid():
            return str(tag)
    try:
        return str(langcodes.find(" ".join(words))) if words else None
    except LookupError:
        return None
