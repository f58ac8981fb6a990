"""What may stand in a column of a TREC file, or of a collection's judgements: ids of one word, and whole numbers."""

import re

# As published files have them: 1, -1, +1, 1.0. Python's own int() would take 1_0, and digits of any script.
_WHOLE = re.compile(r"[+-]?[0-9]+(\.0*)?", re.ASCII)


def id_problem(name: str, *, leads: bool = False) -> str | None:
    """What is wrong with an `_id`, for a message; None if nothing is.

    Args:
        name: a string that is not empty.
        leads: its lines in TREC files begin with it, as those of a query do: `#` begins a comment there (trec_eval 10),
            and a byte order mark at the start of a file is none of its text.
    """
    if name.split() != [name]:
        return f"_id {name!r} holds white space, which separates the columns of TREC files; write it as one word"
    if not name.isascii() and re.search("[\ud800-\udfff]", name):
        return f"_id {name!r} holds half a character, which no file can"
    if leads and name[0] in "#\ufeff":
        return f"_id {name!r} begins with {name[0]!r}, as no line of a TREC file may; write it without"
    return None


def whole_number(text: str) -> int:
    """A grade, such as `1`, `-1` or `1.0`.

    Raises:
        ValueError: it is none.
    """
    if not (matched := _WHOLE.fullmatch(text.strip())):
        raise ValueError(f"{text!r} is no whole number")
    return int(text.strip().removesuffix(matched[1] or ""))
