"""Translation memories as programs write them: what is broken in one unit costs that unit, and is said."""

from collections.abc import Callable
from pathlib import Path

import pytest

from clir_ot.bitext.tmx import read_tmx
from clir_ot.errors import UserError

Read = Callable[..., list[tuple[str, str]]]


def unit(english: str, foreign: str, code: str = "sw") -> str:
    return f'<tu><tuv xml:lang="en"><seg>{english}</seg></tuv><tuv xml:lang="{code}"><seg>{foreign}</seg></tuv></tu>\n'


def memory(*units: str, head: str = "") -> str:
    return f'{head}<tmx version="1.4"><header srclang="en"/><body>\n{"".join(units)}</body></tmx>\n'


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def read(tmp_path: Path, said: list[str]) -> Read:
    def from_content(content: str | bytes, language: str = "sw") -> list[tuple[str, str]]:
        path = tmp_path / "m.tmx"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return list(read_tmx(path, language, said.append))

    return from_content


@pytest.mark.parametrize(
    "broken",
    [unit("a\x1fb", "c"), unit("a&#x1F;b", "c"), unit("a", "b&#0;"), unit("a", "&nbsp;b"), unit("\ufffeb", "c"),
     unit("a", "b").replace("b<", "\udcff<")],
)  # fmt: skip
def test_one_bad_character_among_thousands_costs_its_unit(
    tmp_path: Path, read: Read, said: list[str], broken: str
) -> None:
    good = [unit(f"good {n} &amp; &#98;ad", f"nzuri {n}") for n in range(3000)]
    content = memory(*good[:2000], broken, broken, *good[2000:]).encode("utf-8", "surrogateescape")
    assert read(content) == [(f"good {n} & bad", f"nzuri {n}") for n in range(3000)]
    assert said == [
        f"{tmp_path / 'm.tmx'}: 2 of 3002 units left out, the first at line 2002, which has a control character, an "
        "undefined entity or bytes that are not in the file's encoding"
    ]


def test_what_is_broken_in_another_language_or_a_note_costs_nothing(read: Read, said: list[str]) -> None:
    note = "<tu><note>\x02</note>" + unit("a", "b").removeprefix("<tu>").replace(
        "</tu>", '<tuv xml:lang="fr"><seg>\x03</seg></tuv><tuv xml:lang="de"/></tu>'
    )
    assert read(memory(note)) == [("a", "b")]
    assert said == []


def test_a_text_without_seg_is_named_and_not_its_language(read: Read, said: list[str]) -> None:
    bad = '<tu><tuv lang="en-US">A sample</tuv><tuv lang="sw-KE">Mfano</tuv></tu>\n'
    with pytest.raises(UserError, match=r"m\.tmx: none of its units with en and sw .* line 2, .*<tuv> without <seg>"):
        read(memory(bad))
    assert read(memory(unit("a", "b"), bad)) == [("a", "b")]
    assert said[0].endswith("1 of 2 units left out, the first at line 3, which has a <tuv> without <seg>")
    with pytest.raises(UserError, match=r"no <tu> has both en and ha; the languages in it are: en-US, sw-KE"):
        read(memory(bad), language="ha")


@pytest.mark.parametrize("name", ["windows-874", "unicode", "utf-16", "base64", "none\u00e9"])
def test_an_encoding_that_cannot_be_is_one_line(read: Read, name: str) -> None:
    head = f'<?xml version="1.0" encoding="{name}"?>\n'
    with pytest.raises(UserError, match=r"m\.tmx:1: is declared to be in the encoding '.*save it as UTF-8") as caught:
        read(memory(unit("a", "b"), head=head))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [("gbk", "gbk"), ("Shift_JIS", "shift_jis"), ("ISO-8859-1", "latin-1"), ("utf-16", "utf-16"), ("", "utf-16-le"),
     ("", "utf-16-be"), ("UTF-8", "utf-8-sig"), ("windows-1252", "cp1252")],
)  # fmt: skip
def test_every_encoding_that_python_has_is_read(read: Read, declared: str, encoding: str) -> None:
    head = f'<?xml version="1.0" encoding="{declared}"?>\n' if declared else '<?xml version="1.0"?>\n'
    text = {"gbk": "中文", "shift_jis": "日本"}.get(encoding, "caf\u00e9")
    assert read(memory(unit("a", text), head=head).encode(encoding)) == [("a", text)]


@pytest.mark.parametrize(("broken", "sign"), [("AT&T", "&"), ("a &amp", "&"), ("a & b", "&"), ("1 < 2", "<")])
def test_a_bare_sign_costs_its_unit_and_is_text_where_it_may_stand(
    tmp_path: Path, read: Read, said: list[str], broken: str, sign: str
) -> None:
    units = [unit(broken, "c"), unit(f"<![CDATA[{broken} <b>]]> &lt; &amp;", "d")]
    for padding in ("", "x" * (2**16 - len(memory()) + len("</body></tmx>\n") - 45)):  # across two pieces, too
        said.clear()
        assert read(memory(unit(padding or "x", "e"), *units))[1:] == [(f"{broken} <b> < &", "d")]
        assert said == [
            f"{tmp_path / 'm.tmx'}: 1 of 3 units left out, the first at line 3, which has a bare {sign}, where XML has "
            "an entity"
        ]


def test_entities_are_not_expanded(read: Read) -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "ha"}">' for n in range(12))
    with pytest.raises(UserError, match=r"m\.tmx:1: declares the entity e0"):
        read(memory(unit("&e11;", "b"), head=f"<!DOCTYPE tmx [{entities}]>"))


def test_a_reference_may_stand_where_the_file_is_cut_into_pieces(read: Read) -> None:
    for length in range(65_440, 65_540, 7):
        assert read(memory(unit("a" * length + "&#x1EB9;&amp;", "b"))) == [("a" * length + "ẹ&", "b")]


def test_the_first_of_several_texts_in_a_language_counts(read: Read) -> None:
    twice = unit("first", "a").replace("</tu>", '<tuv xml:lang="en"><seg>second</seg></tuv></tu>')
    assert read(memory(twice)) == [("first", "a")]


def test_markup_within_text(read: Read) -> None:
    marked = 'Press <bpt i="1">&lt;b&gt;<sub>x</sub></bpt><hi>OK</hi><ept i="1">&lt;/b&gt;</ept> now<ph/>.'
    assert read(memory(unit(marked, "<![CDATA[a < b]]>"))) == [("Press OK now.", "a < b")]
