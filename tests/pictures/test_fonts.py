"""Letters: found among the installed fonts, or else romanised."""

import unicodedata

import pytest
from matplotlib import font_manager

from clir_ot.pictures import fonts

YORUBA = "ẹ́ ọ̀ ṣ àáèéìíòóùú ń ǹ ▁ ◌́ ␣"


@pytest.fixture
def only_matplotlibs_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    own = font_manager.findfont(fonts.OWN_FONT)
    monkeypatch.setattr(fonts, "_installed", lambda rescan: {fonts.OWN_FONT: own})


def test_matplotlibs_own_font_has_yoruba(only_matplotlibs_fonts: None) -> None:
    for form in ("NFC", "NFD"):
        labels = unicodedata.normalize(form, YORUBA).split()
        assert fonts.lettering(labels) == fonts.Lettering(labels, [[fonts.OWN_FONT]] * len(labels), "")


def test_devanagari_without_a_font_is_romanised_and_said(only_matplotlibs_fonts: None) -> None:
    letters = fonts.lettering(["class", "वर्ग", "हटवा", "-ां"])
    assert letters.texts == ["class", "varga", "hattavaa", "-aaṃ"]
    assert set(letters.missing) == set("वर्गहटवां")
    message = fonts.missing_message(letters.missing)
    assert message.startswith("no installed font has Devanagari (8 characters: U+0902, U+0917, ")
    assert "fonts-noto-core" in message
    assert "\n" not in message


def test_a_font_that_has_a_whole_label_comes_before_matplotlibs(monkeypatch: pytest.MonkeyPatch) -> None:
    own = font_manager.findfont(fonts.OWN_FONT)
    has = {own: frozenset("class-"), "half": frozenset("वर"), "whole": frozenset("वर्ग-")}
    installed = {"Half": "half", fonts.OWN_FONT: own, "Whole": "whole"}
    monkeypatch.setattr(fonts, "_installed", lambda rescan: installed if rescan else {fonts.OWN_FONT: own})
    monkeypatch.setattr(fonts, "_characters", has.__getitem__)
    letters = fonts.lettering(["class", "-वर्ग", "वर"])
    assert letters.texts == ["class", "-वर्ग", "वर"]
    assert letters.families == [[fonts.OWN_FONT], ["Whole", fonts.OWN_FONT], ["Half", fonts.OWN_FONT]]
    assert letters.missing == ""


@pytest.mark.parametrize(
    ("label", "expected"),
    [("ሰላም", "sa-laa-me"), ("中a", "U+4E2Da"), ("विद्यार्थी", "vidyaarthii"), ("বাংলা", "baaṃlaa"), ("ก$", "kai$")],
)
def test_romanised(label: str, expected: str) -> None:
    assert fonts.romanise(label) == expected


def test_the_package_for_east_asian_letters_is_another() -> None:
    assert "has CJK (1 character: U+4E2D)" in fonts.missing_message("中")
    assert "fonts-noto-cjk" in fonts.missing_message("中")


def test_the_font_of_boxes_does_not_count() -> None:
    assert not any(name.startswith("Last Resort") for name in fonts._installed(False))
