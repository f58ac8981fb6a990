"""Is a file of tab-separated fields quoted as CSV is? Mostly the whole file tells, for plain text has quotes, too.

pandas, Excel and the like put a field that holds a quote between quotes, and double those within: `"Say ""go"" now"`.
Read as it stands, such a field is trained on with quotes that nobody wrote; but to take the quotes off plain text loses
some that somebody did. Only a field with doubled quotes within is known by itself, as where files were put together.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from clir_ot.files import Readable, opened

_FIELD = rb'(?:"(?:[^"]++|"")*+"|[^"\t]*+)'
_RECORD = re.compile(rb"%b(?:\t%b)*+" % (_FIELD, _FIELD))
_QUOTED = re.compile(rb'(?:(?<=\t)|\A)"((?:[^"]++|"")*+)"(?=\t|\Z)')
_WHOLE = re.compile(r'"(?:[^"]++|"")*+"')
_LINES = 100  # that a field may run over: a quote in plain text that nothing closes ends somewhere


@dataclass(frozen=True)
class Quoting:
    """What the quotes of a file say.

    Attributes:
        is_csv: whether fields are quoted as in CSV, all that need it and nothing else.
        quoted: fields that are read without quotes: all such, or those with doubled quotes within.
        plain: line of the first record whose quotes are no CSV, None where there is none.
    """

    is_csv: bool
    quoted: int
    plain: int | None

    def notes(self, path: Readable) -> Iterator[str]:
        """What a user should know of how the file is read, a line."""
        if self.quoted:
            but = "" if self.is_csv else f"; line {self.plain} is not, and others are read as they stand"
            yield f"{path}: {self.quoted} field(s) are quoted as in CSV and read without the quotes{but}"


def unquoted(field: str) -> str:
    """A field of a file that is not CSV, without its quotes if there are doubled ones within."""
    if field.startswith('"') and '""' in field[1:-1] and _WHOLE.fullmatch(field):
        return field[1:-1].replace('""', '"')
    return field


def find_quoting(path: Readable) -> Quoting:
    """Go through a file once; lines without a quote take no time.

    It is CSV if no record contradicts it, and there is something that plain text would not have: doubled quotes, tabs
    or line ends within quotes; or all fields are quoted; or just those that hold a comma, as Excel does it.

    A pipe, which can be read but once, is taken for plain text.

    Raises:
        UserError: the file cannot be read.
    """
    seen = _Seen()
    if not path.is_file():
        return seen.quoting()
    with opened(path) as file:
        started, record = 0, b""
        for number, line in enumerate(file, start=1):
            if not started and seen.knows_all(line):
                continue
            line = line.rstrip(b"\r\n")
            started, record = (started, record + b"\n" + line) if started else (number, line)
            # A field goes on in the next line.
            if record.count(b'"') % 2 and seen.plain is None and number - started < _LINES:
                continue
            seen.add(record, started)
            started = 0
        if started:
            seen.add(record, started)
    return seen.quoting()


class _Seen:
    def __init__(self) -> None:
        self.width = self.quoted = self.doubled = self.broken = self.needless = 0
        self.all_quoted, self.comma = True, False
        self.plain: int | None = None

    def knows_all(self, line: bytes) -> bool:
        """Whether the line by itself says nothing new."""
        if self.plain is not None:
            return b'""' not in line
        return self.comma and not self.all_quoted and b'"' not in line

    def add(self, record: bytes, number: int) -> None:
        if not record.strip():
            return
        if b'"' not in record:
            self.width = self.width or record.count(b"\t") + 1
            self.comma = self.comma or b"," in record
            self.all_quoted = False
            return
        fields = _QUOTED.findall(record)
        rest = _QUOTED.sub(b"", record)
        width = rest.count(b"\t") + 1
        self.width = self.width or width
        # With a tab and a line end in a field, each line may be a record of plain text.
        torn = any(b"\t" in field and b"\n" in field for field in fields)
        if torn or width != self.width or not _RECORD.fullmatch(record):
            self.plain = self.plain or number
            fields = [field for line in record.split(b"\n") for field in _QUOTED.findall(line)]
        for field in fields:
            self.quoted += 1
            self.doubled += b'""' in field
            self.broken += b"\t" in field or b"\n" in field
            self.needless += not any(sign in field for sign in (b'""', b"\t", b"\n", b","))
        self.comma = self.comma or b"," in rest
        self.all_quoted = self.all_quoted and len(fields) == width

    def quoting(self) -> Quoting:
        if self.plain is None and self.quoted:
            excel = not self.needless and not self.comma
            if self.doubled or self.broken or self.all_quoted or excel:
                return Quoting(True, self.quoted, None)
        return Quoting(False, self.doubled, self.plain)
