"""The private source list says deb-src where the machine's own does not, and nothing else differs."""

from __future__ import annotations

from pathlib import Path

from testing.controlplane.apt_sources import derive, with_source_deb822, with_source_one_line

DEB822 = """\
# Written by the installer
Types: deb
URIs: http://archive.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/archive.gpg

Types: deb
# http://archive.example/snapshot
URIs: http://archive.example/security
Suites: bookworm-security
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDMEYCQjIxYJKwYBBAHaRw8BAQdA
 -----END PGP PUBLIC KEY BLOCK-----
"""


def test_every_stanza_offers_sources_too_and_keeps_its_key() -> None:
    """Signed-By, as a path or as a key over several lines, stays."""
    text = with_source_deb822(DEB822)
    assert text.count("Types: deb deb-src\n") == 2
    assert "Signed-By: /usr/share/keyrings/archive.gpg\n" in text
    assert "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mDMEYC" in text
    assert "Suites: bookworm bookworm-updates\n" in text


def test_comments_are_dropped_also_inside_a_stanza() -> None:
    """A comment between two fields must not end the stanza."""
    text = with_source_deb822(DEB822)
    assert "#" not in text
    assert text.count("\n\n") == 1


def test_a_disabled_stanza_stays_disabled() -> None:
    """What the administrator switched off is not asked."""
    assert with_source_deb822("Types: deb\nEnabled: no\nURIs: http://off.example\nSuites: x\n") == ""


def test_a_stanza_with_sources_only_gets_binaries_as_well() -> None:
    """One form for all, so that nothing is listed twice."""
    text = with_source_deb822("Types: deb-src\nURIs: http://a.example\nSuites: x\nComponents: main\n")
    assert text.startswith("Types: deb deb-src\n")


def test_one_line_sources_keep_their_options() -> None:
    """Options in brackets, tabs and comments at the end of a line."""
    text = with_source_one_line(
        "deb [signed-by=/k.gpg arch=amd64] http://a.example/debian bookworm main contrib # the archive\n"
        "#deb http://off.example bookworm main\n"
        "\n"
        "deb\thttp://b.example bookworm-security main\n"
    )
    assert text == (
        "deb [signed-by=/k.gpg arch=amd64] http://a.example/debian bookworm main contrib\n"
        "deb-src [signed-by=/k.gpg arch=amd64] http://a.example/debian bookworm main contrib\n"
        "deb http://b.example bookworm-security main\n"
        "deb-src http://b.example bookworm-security main\n"
    )


def test_a_source_listed_as_both_appears_once() -> None:
    """apt warns about duplicates."""
    text = with_source_one_line("deb http://a.example x main\ndeb-src http://a.example x main\n")
    assert text == "deb http://a.example x main\ndeb-src http://a.example x main\n"


def test_main_list_and_parts_of_both_formats_are_read(tmp_path: Path) -> None:
    """Other endings are ignored as apt ignores them; two files of one name don't overwrite each other."""
    (tmp_path / "sources.list").write_text("deb http://a.example x main\n")
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    (parts / "debian.sources").write_text(DEB822)
    (parts / "debian.list").write_text("deb http://b.example x main\n")
    (parts / "old.list.save").write_text("deb http://c.example x main\n")
    (parts / "empty.list").write_text("# nothing\n")
    derived = derive(tmp_path / "sources.list", parts)
    assert list(derived) == ["00-sources.list", "01-debian.list", "02-debian.sources"]
    assert "c.example" not in "".join(derived.values())


def test_a_machine_without_apt_sources_gives_nothing(tmp_path: Path) -> None:
    """No error here: the build says what it lacks."""
    assert derive(tmp_path / "none", tmp_path / "none.d") == {}
