import pytest
from hypothesis import given
from hypothesis import strategies as st

from zones import name as names
from zones import repository
from zones.findings import Severity
from zones.slices import run_to_end
from zones.tree import Entry

LABELS = st.lists(st.binary(min_size=1, max_size=12), max_size=5)


@pytest.mark.parametrize(
    ("file", "zone"),
    [
        ("example.com", "example.com."),
        ("example.com.zone", "example.com."),
        ("Example.COM.zone", "example.com."),
        ("root.zone", "."),
        ("root", "root."),
        ("lan", "lan."),
        ("com.zone", "com."),
        ("Internal.zone", "internal."),
        ("2.0.192.in-addr.arpa", "2.0.192.in-addr.arpa."),
        ("0%2F25.2.0.192.in-addr.arpa.zone", "0/25.2.0.192.in-addr.arpa."),
        ("_acme-challenge.example.com", "_acme-challenge.example.com."),
        ("xn--bcher-kva.example", "xn--bcher-kva.example."),
        ("example.md", "example.md."),
        ("example.sh", "example.sh."),
        ("support.example.com", "support.example.com."),
        ("example.inc.zone", "example.inc."),
        ("readme.zone", "readme."),
        ("%40.zone", "@."),
    ],
)
def test_a_file_is_the_zone_it_is_named_after(file: str, zone: str) -> None:
    assert repository.zone_of(file) == names.fold(names.from_text(zone))


@pytest.mark.parametrize(
    "file",
    [
        "README",
        "README.md",
        "readme.de.md",
        "LICENSE",
        "CHANGELOG.txt",
        "Makefile",
        "CODEOWNERS",
        "install.sh",
        ".gitignore",
        ".zone",
        ".example.com.zone",
        "zones.yaml",
        "example.com~",
        "example.com.orig",
        "#example.com#",
        "common.inc",
        "two words",
        "a..b",
        "bücher.example",
        "\udcff\udcfe",
    ],
)
def test_other_files_are_left_alone(file: str) -> None:
    assert repository.zone_of(file) is None


@pytest.mark.parametrize("file", ["two words.zone", "a..b.zone", "bücher.example.zone", "\udcff.zone"])
def test_a_zone_file_without_a_domain_name_is_reported(file: str) -> None:
    layout = run_to_end(repository.layout([Entry(file, "1")]))
    (finding,) = layout.findings
    assert finding.severity is Severity.ERROR
    assert str(finding).isprintable()
    assert not layout.zones


@given(LABELS)
def test_every_zone_has_a_file_name(labels: list[bytes]) -> None:
    origin = names.fold(b"".join(bytes([len(label)]) + label for label in labels) + b"\0")
    file = repository.file_of(origin)
    assert repository.zone_of(file) == origin
    assert "/" not in file
    assert file.isascii()


def test_key_files() -> None:
    assert repository.keys_of("_keys") == names.ROOT
    assert repository.keys_of("example.com._keys") == names.from_text("example.com.")
    assert repository.keys_of("example.com.zone._keys") == names.from_text("example.com.")
    assert repository.keys_of("my_keys") is None
    assert repository.keys_of("example.com") is None


def test_two_files_of_one_zone_are_ambiguous() -> None:
    entries = [Entry("example.com", "1"), Entry("example.com.zone", "2"), Entry("example.org", "3")]
    layout = run_to_end(repository.layout(entries))
    origin = names.from_text("example.com.")
    assert layout.zones.keys() == {names.from_text("example.org.")}
    assert [entry.path for entry in layout.ambiguous[origin]] == ["example.com", "example.com.zone"]
    assert "example.com and example.com.zone" in str(repository.ambiguity(origin, layout.ambiguous[origin]))


def test_files_in_folders_are_no_zones_but_known() -> None:
    layout = run_to_end(repository.layout([Entry("inc/example.com", "1"), Entry("_policy.toml", "2")]))
    assert not layout.zones
    assert not layout.findings
    assert layout.blobs == {"inc/example.com": "1", "_policy.toml": "2"}
