"""What stands on a page to be typed, and whether it could be: blocks, their commands, and who would take them."""

import contextlib
import glob
import io
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from configparser import ConfigParser
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt

from clir_ot.cli import VERBS
from clir_ot.errors import UserError
from clir_ot.fit import fit
from clir_ot.fit_cli import FitCLI
from clir_ot.options import make_parser
from clir_ot.sources.builders import STARTER, find_builder

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    {
        *ROOT.glob("*.md"),
        *(p for top in ("docs", "examples", "experiments", "benchmarks") for p in (ROOT / top).rglob("*.md")),
    }
)

_MAKEFILE = "".join((ROOT / name).read_text() for name in ("Makefile", "environment.mk"))
TARGETS = {name for line in re.findall(r"^([a-z][a-z -]*):", _MAKEFILE, re.M) for name in line.split()}
_VARIABLES = {*re.findall(r"^(\w+) *[?:]?=", _MAKEFILE, re.M), *re.findall(r"\$[({](\w+)[)},]", _MAKEFILE)}
_OURS = ("src", "tests", "docs", "experiments", "examples", "benchmarks", "notebooks")  # folders of the repository
_TYPED = re.compile(
    rf"^\s*(\$ )?(make( |$)({'|'.join(TARGETS)}|\w+=)|(\S*/)?clir-ot [a-z-]|(\S*/)?pip install|python3? \S+\.py"
    r"|torchrun |srun |git clone)",
    re.MULTILINE,
)
_MARKDOWN = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True)
class Block:
    """A block of code.

    Attributes:
        line: on which it begins.
        language, title: as its first line says; nothing of an indented one.
        text: its content.
    """

    line: int
    language: str
    title: str
    text: str

    @property
    def runs(self) -> bool:
        """Whether the test types it; else it needs what a test does not have."""
        return self.language == "sh" and not self.title.startswith("needs")

    @property
    def is_typed(self) -> bool:
        """Whether a line of it is a command."""
        return bool(_TYPED.search(self.text))


def blocks(text: str, before: int = 0) -> Iterator[Block]:
    """A page's blocks, those within tabs and notes too, which are indented."""
    for token in _MARKDOWN.parse(text):
        if token.type == "fence":
            language, _, rest = token.info.strip().partition(" ")
            title = re.search(r'title="(.*?)"', rest)
            yield Block(before + (token.map or [0])[0] + 1, language, title[1] if title else "", token.content)
        elif token.type == "code_block":
            first = before + (token.map or [0])[0]
            yield from [*blocks(token.content, first)] or [Block(first + 1, "", "", token.content)]


def inline(text: str) -> list[str]:
    """What stands between single backticks."""
    return [c.content for token in _MARKDOWN.parse(text) for c in token.children or [] if c.type == "code_inline"]


def links(text: str) -> list[str]:
    """Targets of links and pictures that are not elsewhere."""
    found = [
        str(child.attrs.get("href") or child.attrs.get("src"))
        for token in _MARKDOWN.parse(text)
        for child in token.children or []
        if child.type in ("link_open", "image")
    ]
    found += re.findall(r'<img src="(.*?)"', text)
    return [target.partition("#")[0] for target in found if not re.match(r"\w+:|#", target)]


def commands(script: str) -> list[list[str]]:
    """The simple commands of a script, as words, without assignments before them and what a loop or a test is made of.

    A loop's variable has its first value.
    """
    script = re.sub(r"<<-?\s*['\"]?(\w+)['\"]?(.*?)\n.*?^\1$", r"\2", script, flags=re.S | re.M)
    for name, value in re.findall(r"\bfor (\w+) in (\S+?)[ ;\n]", script):
        script = re.sub(rf"\$(?:{name}\b|{{{name}}})", lambda _, value=value: value, script)
    found: list[list[str]] = []
    pending = ""
    for line in script.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(pending + line, posix=True, punctuation_chars=";&|()<>")
        lexer.whitespace_split = True
        try:
            words = [*lexer]
        except ValueError:  # a quotation goes on in the next line
            pending += line + "\n"
            continue
        pending = ""
        command: list[str] = []
        for word in [*words, ";"]:
            if word and set(word) <= set(";&|()<>"):
                found += [command] if command else []
                command = []
            elif command or not re.fullmatch(r"do|then|else|time|\$|\w+=.*", word):
                command.append(word)
    assert not pending, f"a quotation is not closed: {pending}"
    return [words for words in found if words[0] not in ("for", "done", "fi", "if", "while")]


def problems(words: list[str]) -> Iterator[str]:
    """Why a command could not be typed in the repository's folder: no such target, verb, option, file or extra."""
    for word in words:
        if "/" in word and word.split("/")[0] in _OURS and not glob.glob(str(ROOT / word)):
            yield f"there is no {word}"
    places = [at for at, word in enumerate(words) if word.rpartition("/")[2] == "clir-ot"]
    if words[0] == "make":
        yield from _make(tuple(words))
    elif places:
        if said := refused(tuple(words[places[0] + 1 :])):
            yield said
    elif words[0].rpartition("/")[2].startswith("python") and len(words) > 1 and words[1].endswith(".py"):
        texts = "".join(p.read_text() for p in (ROOT / words[1], ROOT / "benchmarks" / "sides.py") if p.is_file())
        yield from (
            f"{words[1]} has no {w}" for w in words if w.startswith("--") and f'"{w.partition("=")[0]}"' not in texts
        )
    elif "pip" in words[0] or words[1:3] == ["-m", "pip"]:
        setup = ConfigParser()
        setup.read(ROOT / "setup.cfg")
        asked = [
            name
            for word in words
            for extras in re.findall(r"^(?:\.|clir-ot)\[(.*)\]$", word)
            for name in extras.split(",")
        ]
        yield from (f"there is no extra {name}" for name in asked if name not in setup["options.extras_require"])


@cache
def refused(arguments: tuple[str, ...]) -> str | None:
    """What `clir-ot` says against its arguments as it reads them, before it does anything."""
    try:
        if arguments[:1] == ("fit",):
            return _fit_refuses(arguments[1:])
        with contextlib.redirect_stderr(io.StringIO()) as said, contextlib.redirect_stdout(io.StringIO()):
            parsed = make_parser({verb.__name__: verb for verb in VERBS}).parse_args(arguments)
        if arguments[:2] == ("collection", "build") and parsed.name != STARTER:
            find_builder(parsed.name)
    except SystemExit as end:
        return said.getvalue().splitlines()[-1] if end.code else None
    except UserError as error:
        return str(error)
    return None


class _Accepted(Exception):  # noqa: N818 - not an error
    pass


def _fit_refuses(arguments: tuple[str, ...]) -> str | None:
    def stop(cli: FitCLI) -> None:
        raise _Accepted

    kept, FitCLI.before_instantiate_classes = FitCLI.before_instantiate_classes, stop  # type: ignore[method-assign]
    try:
        with contextlib.chdir(ROOT):
            fit([*arguments])
    except _Accepted:
        return None
    finally:
        FitCLI.before_instantiate_classes = kept  # type: ignore[method-assign]
    raise AssertionError("fit has not come to its classes")


@cache
def _make(words: tuple[str, ...]) -> list[str]:
    """Make knows target and variables, and what it would run is accepted."""
    said = [word for word in words[1:] if not word.startswith("-")]
    wrong = [f"make has no target {word}" for word in said if "=" not in word and word not in TARGETS]
    wrong += [f"make has no use for {word}" for word in said if "=" in word and word.split("=")[0] not in _VARIABLES]
    if wrong:
        return wrong
    # What the make that runs the tests was told is not for this one.
    ours = {name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name != "ARGS"}
    command = [*words, "--dry-run", "VENV=nowhere"]
    done = subprocess.run(command, cwd=ROOT, env=ours, capture_output=True, text=True)
    if done.returncode or "exit 1" in done.stdout:
        return [(done.stderr or done.stdout).strip()]
    return [problem for words in commands(done.stdout) if "nowhere/bin/clir-ot" in words for problem in problems(words)]
