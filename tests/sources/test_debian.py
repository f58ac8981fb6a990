"""A Debian package fetched and unpacked, by programs of apt's names that do what the test says."""

from collections.abc import Callable
from pathlib import Path

import pytest

from clir_ot.errors import UserError
from clir_ot.sources.debian import unpacked_package

APT_GET = """#!/bin/sh
deb='tool_1%3a1.0_all.deb'
case "$*" in
*missing*) echo 'N: a note' >&2; echo 'E: Unable to locate package missing' >&2; exit 100 ;;
*--print-uris*) test -e "$deb" || echo "'http://mirror/pool/tool_1.0_all.deb' $deb 36 SHA256:00" ;;
*) echo contents > "$deb" ;;
esac
"""
DPKG_DEB = """#!/bin/sh
mkdir -p "$3/usr/share/tool" && cp "$2" "$3/usr/share/tool/file"
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Adds a program to an otherwise almost empty PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for needed in ("sh", "mkdir", "cp"):
        (folder / needed).symlink_to(f"/bin/{needed}")
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("CLIR_OT_CACHE", str(tmp_path / "cache"))

    def add(name: str, script: str) -> None:
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)

    return add


def test_a_package_is_unpacked_for_as_long_as_it_is_read(program: Callable[[str, str], None], tmp_path: Path) -> None:
    program("apt-get", APT_GET)
    program("dpkg-deb", DPKG_DEB)
    for _ in ("fetched", "from the cache"):
        with unpacked_package("tool", "do otherwise") as folder:
            assert (folder / "usr" / "share" / "tool" / "file").read_text() == "contents\n"
        assert not folder.exists()
    assert [path.name for path in (tmp_path / "cache" / "debian").iterdir()] == ["tool_1%3a1.0_all.deb"]


def problem(package: str = "tool") -> str:
    with pytest.raises(UserError) as caught, unpacked_package(package, "do otherwise"):
        pass
    assert "\n" not in str(caught.value)
    assert "do otherwise" in str(caught.value)
    return str(caught.value)


def test_what_is_wrong_is_said_in_a_line(program: Callable[[str, str], None]) -> None:
    assert "fetched with apt-get, which is not on this machine" in problem()
    program("apt-get", APT_GET)
    assert "fetched with dpkg-deb, which is not on this machine" in problem()
    program("dpkg-deb", DPKG_DEB)
    assert "(E: Unable to locate package missing)" in problem("missing")
    program("dpkg-deb", "#!/bin/sh\necho 'dpkg-deb: error: not an archive' >&2; exit 2\n")
    assert "`dpkg-deb -x` failed (dpkg-deb: error: not an archive)" in problem()
    program("apt-get", "#!/bin/sh\nexit 0\n")
    assert "names no file" in problem()
