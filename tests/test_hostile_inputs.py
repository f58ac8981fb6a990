"""Every command over inputs that it cannot use: one line on standard error, exit status 1, nothing half-written.

The tables are in `hostile.py`. What is hostile is quick to refuse; the whole of the matrix is slow all the same.
"""

import errno
import io
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from clir_ot import cli
from tests.hostile import COMMANDS, CONTENTS, QUICK, READ, WRITTEN, YAML, Make, names, uses


def matrix() -> Iterator[object]:
    """Of a command's verb, the first line in the quick tests."""
    for command, name, kind in uses():
        first = command in [commands[0] for commands in COMMANDS.values()]
        for hostile, make in (WRITTEN if kind == "written" else READ[kind]).items():
            if hostile == "denied" and command.startswith(("ablate", "sweep")):
                continue  # other processes read it, which `deny` does not reach
            if hostile == "deep" and name == "experiment":
                continue  # the C library that jsonargparse reads YAML with ends the process
            marks = () if first and hostile in QUICK else pytest.mark.slow
            yield pytest.param(
                command, name, hostile, make, marks=marks, id=f"{command.partition(' --')[0]}: {name} {hostile}"
            )


@pytest.fixture
def refused(
    good: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Run a command that must fail; what it says in its one line. Nothing that was there has changed, nothing came."""

    def run(command: str, **places: Path) -> str:
        new = {"new_folder": "folder", "new_file": "file.trec", "new_picture": "picture.png"}
        paths = {**good, **{name: tmp_path / "new" / path for name, path in new.items()}, **places}
        words = [word.format(**paths) for word in command.split()]
        before = [names(root) for root in (tmp_path, good["runs"].parent, good["collection"])]
        monkeypatch.setattr(sys, "argv", ["clir-ot", *words])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        said = str(caught.value.code)
        assert said.startswith("clir-ot: "), said
        assert len(said.splitlines()) == 1, said
        assert len(said) < 2000
        assert capsys.readouterr().err == ""
        assert [names(root) for root in (tmp_path, good["runs"].parent, good["collection"])] == before
        return said

    return run


@pytest.fixture
def deny(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Take the right to read a file, or the files of a folder; also from the superuser, who has every right."""

    def take(path: Path) -> None:
        opening = io.open

        def is_denied(name: object) -> bool:
            return isinstance(name, str | Path) and Path(name).is_relative_to(path)

        def opened(name: object, *arguments: object, **options: object) -> object:
            if is_denied(name):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(name))
            return opening(name, *arguments, **options)  # type: ignore[call-overload]

        monkeypatch.setattr(io, "open", opened)
        monkeypatch.setattr("builtins.open", opened)

    return take


@pytest.mark.parametrize(("command", "name", "hostile", "make"), list(matrix()))
def test_what_cannot_be_used_is_one_line(
    good: dict[str, Path], tmp_path: Path, refused: Callable[..., str], deny: Callable[[Path], None],
    command: str, name: str, hostile: str, make: Make,
) -> None:  # fmt: skip
    (place := tmp_path / "hostile").mkdir()
    path = make(
        place, good.get(name, Path({"new_file": "file.trec", "new_picture": "picture.png"}.get(name, "folder")))
    )
    if hostile == "denied":
        deny(path)
    said = refused(command, **{name: path})
    assert "Traceback" not in said


def readers() -> Iterator[object]:
    """Of every content: the check in the quick tests, whatever else reads a collection in the slow ones."""
    for content, make in CONTENTS.items():
        for command, name, _ in uses():
            if name == "collection" and not command.startswith(("ablate", "sweep", "translate")):
                marks = () if command == COMMANDS["check"][0] else pytest.mark.slow
                yield pytest.param(command, make, marks=marks, id=f"{command.partition(' --')[0]}: {content}")


@pytest.mark.parametrize(("command", "make"), list(readers()))
def test_a_collection_that_cannot_be_used_is_one_line(
    good: dict[str, Path], tmp_path: Path, refused: Callable[..., str], clir: Callable[..., str], command: str,
    make: Make,
) -> None:  # fmt: skip
    (place := tmp_path / "hostile").mkdir()
    path = make(place, good["collection"])
    if command == COMMANDS["check"][0]:
        assert "problem" in refused(command, collection=path)
        return
    # Not every command reads every file: one that goes through is as good as one that says what is wrong.
    new = {"new_folder": tmp_path / "new" / "folder", "new_file": tmp_path / "new" / "file.trec"}
    said = clir(*(word.format(**{**good, **new, "collection": path}) for word in command.split()))
    assert not said.startswith("FAILED") or (said.startswith("FAILED: clir-ot: ") and len(said.splitlines()) == 1)


@pytest.mark.parametrize(("kind", "change"), [(kind, change) for kind, changes in YAML.items() for change in changes])
def test_a_file_of_settings_that_cannot_be_used_is_one_line(
    good: dict[str, Path], tmp_path: Path, refused: Callable[..., str], kind: str, change: dict[str, object]
) -> None:
    said = yaml.safe_load(good[kind].read_text())
    (path := tmp_path / good[kind].name).write_text(yaml.safe_dump({**said, **change}))
    (command,) = (commands[0] for commands in COMMANDS.values() if f"{{{kind}}}" in commands[0])
    refused(command, **{kind: path})


def test_every_verb_has_a_line() -> None:
    assert COMMANDS.keys() == {verb.__name__ for verb in cli.VERBS} | {"fit"}


# Of the others, hours, a network, a copy or a logged run are needed.
@pytest.mark.slow
@pytest.mark.parametrize("command", [
    command for verb, commands in COMMANDS.items() for command in commands
    if verb not in ("ablate", "build", "dashboard", "push", "sweep", "translate")
])  # fmt: skip
def test_the_lines_work_on_what_is_good(
    good: dict[str, Path], own_collection: Path, tmp_path: Path, clir: Callable[..., str], command: str
) -> None:
    new = {"new_folder": tmp_path / "folder", "new_file": tmp_path / "file.trec", "new_picture": tmp_path / "a.png"}
    paths = {**good, **new, "collection": own_collection}
    assert not clir(*(word.format(**paths) for word in command.split())).startswith("FAILED")
