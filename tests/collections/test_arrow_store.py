"""Large files on disk: to the reader the same as `dict` and `list`, made once, whole or not at all."""

import json
import pickle
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from clir_ot import Collection
from clir_ot.collections import arrow_store, id_index, loading
from clir_ot.collections.arrow_store import ArrowPairs, ArrowTexts, stored_pairs, stored_texts
from clir_ot.collections.id_index import IdIndex, hashed
from clir_ot.collections.loading import load_small_texts
from clir_ot.collections.reading import read_pairs
from clir_ot.errors import UserError
from tests.forked import running


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Few rows together, and pages let go at once, so that small files go through all there is."""
    monkeypatch.setenv("CLIR_OT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(arrow_store, "_ROWS", 7)
    monkeypatch.setattr(arrow_store, "_HELD", 1)
    return tmp_path / "cache" / "arrow"


def texts_file(folder: Path, count: int = 100) -> Path:
    path = folder / "corpus.jsonl"
    names = [f"d{(i * 37) % count}" for i in range(count)]
    path.write_text("".join(f'{{"_id": "{name}", "text": "ẹ\u0301 {name} {i}"}}\n' for i, name in enumerate(names)))
    return path


def pairs_file(folder: Path, count: int = 50) -> Path:
    path = folder / "yo.tsv"
    path.write_text("".join(f"english {i}\tọ́ {i % 3}\n" for i in range(count)))
    return path


def assert_same(found: Mapping[str, str], expected: dict[str, str]) -> None:
    assert list(found) == list(found.keys()) == list(expected)
    assert list(found.values()) == list(expected.values())
    assert list(found.items()) == list(expected.items())
    assert {name: found[name] for name in reversed(expected)} == expected
    assert found == expected
    assert expected == found
    assert len(found) == len(expected)
    assert ("no" in found) is ("no" in expected) is (3 in found) is False
    assert found.get("no") is None
    assert found.get(next(iter(expected))) is not None
    assert {"no", *list(expected)[:3]} - found.keys() == {"no"}
    with pytest.raises(KeyError, match="no"):
        found["no"]


def test_texts_on_disk_are_those_in_memory(tmp_path: Path) -> None:
    path = texts_file(tmp_path)
    found, expected = stored_texts(path), load_small_texts(path)
    assert len(expected) == 100
    assert_same(found, expected)
    assert_same(pickle.loads(pickle.dumps(found)), expected)


def test_pairs_on_disk_are_those_in_memory(tmp_path: Path) -> None:
    path = pairs_file(tmp_path)
    expected = [(pair.english, pair.foreign) for pair in read_pairs(path)]
    for found in (stored_pairs(path), pickle.loads(pickle.dumps(stored_pairs(path)))):
        assert isinstance(found, Sequence)
        assert list(found) == expected
        assert found == expected
        assert len(found) == 50
        assert [found[i] for i in range(-50, 50)] == expected + expected
        assert found[3:30:4] == expected[3:30:4]
        assert found[::-1] == expected[::-1]
        assert found[60:] == []
        assert found.index(expected[20]) == expected.index(expected[20])
        for nowhere in (50, -51):
            with pytest.raises(IndexError):
                found[nowhere]


def test_a_collection_of_large_files_is_one_of_small_ones(
    own_collection: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def content() -> tuple[object, ...]:
        collection = Collection(own_collection)
        queries, qrels = collection.judged("test", "yo")
        return (
            {name: dict(collection.documents(name)) for name in collection.document_languages},
            {name: dict(collection.queries(name)) for name in collection.query_languages},
            list(collection.bitext("yo")),
            queries,
            qrels,
            collection.fingerprint(),
        )

    small = content()
    assert not cache.exists()
    monkeypatch.setattr(loading, "LARGE", 10)
    for path in own_collection.rglob("*.*"):
        path.touch()  # what was read before is cached as long as the file is as it was
    assert content() == small
    assert type(Collection(own_collection).documents()) is ArrowTexts
    assert type(Collection(own_collection).bitext("yo")) is ArrowPairs


def test_a_file_is_converted_once_and_by_its_content(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = texts_file(tmp_path)
    first = stored_texts(path)
    with monkeypatch.context() as patched:
        patched.setattr(arrow_store, "read_texts", lambda *_, **__: pytest.fail("read again"))
        copied = tmp_path / "other.jsonl"
        copied.write_bytes(path.read_bytes())
        assert stored_texts(copied).folder == first.folder == next(f for f in cache.iterdir() if f.is_dir())
    path.write_text('{"_id": "a", "text": "b"}\n')
    assert dict(stored_texts(path)) == {"a": "b"}
    assert len(first) == 100  # what was opened before stays


def test_the_same_bytes_in_another_format_are_other_texts(tmp_path: Path) -> None:
    line = '{"_id":"a","text":"b"}\t{"_id":"c","text":"d"}\n'
    (tmp_path / "a.tsv").write_text(line)
    (tmp_path / "a.jsonl").write_text(line)
    assert len(stored_texts(tmp_path / "a.tsv")) == 1
    with pytest.raises(UserError, match=r"a\.jsonl:1"):
        stored_texts(tmp_path / "a.jsonl")


@pytest.mark.parametrize(
    ("line", "expected"),
    [('{"_id": "d5", "text": "again"}', "_id 'd5' occurs a second time"), ("no json", "expected"), (b"\xff", "UTF-8")],
)
def test_a_problem_is_that_of_the_file_in_memory_and_leaves_nothing(
    tmp_path: Path, cache: Path, line: str | bytes, expected: str
) -> None:
    path = texts_file(tmp_path)
    with path.open("ab") as file:
        file.write(b"\n" + (line if isinstance(line, bytes) else line.encode()) + b"\n")
    with pytest.raises(UserError, match=expected) as small:
        load_small_texts(path)
    with pytest.raises(UserError) as large:
        stored_texts(path)
    assert str(large.value) == str(small.value)
    assert str(small.value).startswith(f"{path}:102: ")
    assert all(left.suffix == ".lock" for left in cache.iterdir())


def test_an_interrupt_leaves_nothing_that_is_taken_for_whole(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = texts_file(tmp_path)

    def interrupted(done: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(arrow_store, "counting", lambda what: interrupted)
        stored_texts(path)
    assert all(left.suffix == ".lock" for left in cache.iterdir())
    assert stored_texts(path) == load_small_texts(path)


def test_ids_of_one_hash_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (arrow_store, id_index):
        monkeypatch.setattr(module, "hashed", lambda name: len(name))
    path = texts_file(tmp_path, 30)
    assert_same(stored_texts(path), load_small_texts(path))
    with path.open("a") as file:
        file.write('{"_id": "d12", "text": "again"}\n{"_id": "d3", "text": "again"}\n')
    with pytest.raises(UserError, match=r":31: _id 'd12' occurs a second time"):
        stored_texts(path)


def test_an_index_finds_rows_and_repeats() -> None:
    names = ["b", "a", "c", "a", "b", "a"]
    index = IdIndex.of(map(hashed, names))
    assert [index.rows_of(name) for name in "abcd"] == [[1, 3, 5], [0, 4], [2], []]
    assert ["a" in index, "d" in index] == [True, False]
    assert sorted(index.repeated(names.__getitem__)) == index.repeated_rows().tolist() == [3, 4, 5]
    both = id_index.union([index, IdIndex.of(map(hashed, "de"))])
    assert [name in both for name in "abcdef"] == [True] * 5 + [False]
    assert "a" not in id_index.union([])
    assert "a" not in IdIndex.of([])


def test_a_damaged_store_is_named(tmp_path: Path) -> None:
    path = pairs_file(tmp_path)
    table = stored_pairs(path).folder / "table.arrow"
    table.write_bytes(b"")
    with pytest.raises(UserError, match="remove the folder, it will be made again"):
        stored_pairs(path)


def test_two_processes_make_it_once(tmp_path: Path, cache: Path) -> None:
    """Each says how often it read the file; one of them waits and finds it there."""
    path, both = texts_file(tmp_path), tmp_path / "both"
    both.mkdir()
    file = tmp_path / "open.py"
    file.write_text(f"""
import os, time
from pathlib import Path
from clir_ot.collections import arrow_store
both, read, times = Path({str(both)!r}), arrow_store.read_texts, []
def slowly(path, **options):
    times.append(path)
    while len(os.listdir(both)) < 2:
        time.sleep(0.01)
    time.sleep(0.2)  # for the other one to find the first at it
    yield from read(path, **options)
arrow_store.read_texts = slowly
(both / str(os.getpid())).touch()
print(len(times), len(arrow_store.stored_texts(Path({str(path)!r}))), len(times))
""")
    with running([str(file)]) as first, running([str(file)]) as second:
        # The last line: where the machine is slow, progress is said before.
        said = [process.communicate()[0].splitlines()[-1].split() for process in (first, second)]
    assert sorted(said) == [["0", "100", "0"], ["0", "100", "1"]]


def test_resident_memory_stays_below_the_files_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts of 200 MB, gone through and looked up in a process that says what it holds of files at most."""
    if not Path("/proc/self/status").exists():
        pytest.skip("needs /proc/self/status")
    path = tmp_path / "corpus.jsonl"
    with path.open("w") as file:
        for i in range(1000):
            file.write(json.dumps({"_id": f"d{i}", "text": f"{i} " * 20_000}) + "\n")
    script = f"""
from pathlib import Path
from clir_ot.collections import arrow_store
arrow_store._HELD, arrow_store._ROWS = 8 * 2**20, 16
texts = arrow_store.stored_texts(Path({str(path)!r}))
def held():
    return int(next(line for line in open("/proc/self/status") if line.startswith("RssFile")).split()[1]) * 1024
before, most, size = held(), 0, 0
for number, name in enumerate(texts):
    size += len(texts[name])
    most = max(most, held())
for text in texts.values():
    most = max(most, held())
import sys
print(size, most - before, "torch" in sys.modules)
"""
    found = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, timeout=120, check=True)
    size, held, torch = found.stdout.splitlines()[
        -1
    ].split()  # before it, on a slow machine, stands how far it has come
    assert int(size) > 70 * 2**20
    assert int(held) < 40 * 2**20
    assert torch == "False"
