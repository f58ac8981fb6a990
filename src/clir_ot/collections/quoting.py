"""Is a file of tab-separated fields quoted as CSV is? Only the whole file tells, for plain text has quotes, too.

pandas, Excel and the like put a field that holds a quote between quotes, and double those within: `"Say ""go"" now"`.
Read as it stands, such a field is trained on with quotes that nobody wrote; but to take the quotes off plain text loses
some that somebody did.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from clir_ot.files import Readable, opened

_FIELD = rb'(?:"(?:[^"]++|"")*+"|[^"\t]*+)'
_RECORD = re.compile(rb"%b(?:\t%b)*+" % (_FIELD, _FIELD))
_QUOTED = re.compile(rb'(?:(?<=\t)|\A)"((?:[^"]++|"")*+)"(?=\t|\Z)')
_LINES = 100  # that a field may run over: a quote in plain text that nothing closes ends somewhere


@dataclass(frozen=True)
class Quoting:
    """What the quotes of a file say.

    Attributes:
        is_csv: whether fields are quoted as in CSV, all that need it and nothing else.
        quoted: fields that are.
        doubled: those of them that are not quoted in plain text by chance.
        plain: line of the first record whose quotes are no CSV, None where there is none.
    """

    is_csv: bool
    quoted: int
    doubled: int
    plain: int | None

    def notes(self, path: Readable) -> Iterator[str]:
        """What a user should know of how the file is read, a line."""
        if self.is_csv:
            yield f"{path}: is quoted as in CSV, {self.quoted} field(s), which are read without the quotes"
        elif self.doubled:
            yield (
                f"{path}: {self.doubled} field(s) look quoted as in CSV, but line {self.plain} does not: all are read "
                "as they stand, with their quotes"
            )


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
            if not started and seen.knows_plain and b'"' not in line:
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
        self.width = self.quoted = self.doubled = self.needless = 0
        self.all_quoted, self.comma = True, False
        self.plain: int | None = None

    @property
    def knows_plain(self) -> bool:
        """Whether another record without a quote would say nothing new."""
        return self.width > 0 and self.comma and not self.all_quoted

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
        for field in fields:
            is_doubled = any(sign in field for sign in (b'""', b"\t", b"\n"))
            self.doubled += is_doubled
            self.needless += not is_doubled and b"," not in field
        self.quoted += len(fields)
        self.comma = self.comma or b"," in rest
        self.all_quoted = self.all_quoted and len(fields) == width

    def quoting(self) -> Quoting:
        excel = not self.needless and not self.comma
        is_csv = self.plain is None and self.quoted > 0 and (self.doubled > 0 or self.all_quoted or excel)
        return Quoting(is_csv, self.quoted, self.doubled, self.plain)
