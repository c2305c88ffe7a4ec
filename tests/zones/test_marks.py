"""Marked names are a set of names of the zone."""

from tests.support.served import zone_from_text
from zones.marks import NameMarks
from zones.name import from_text


def test_marks_are_a_set_of_names_of_the_zone() -> None:
    zone = zone_from_text("$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns\na.b TXT x\n", "t.test.")
    marks = NameMarks(zone.tables.names)
    names = [from_text(name) for name in ("t.test.", "a.b.t.test.", "b.t.test.", "x.t.test.")]
    assert not marks
    assert not any(name in marks for name in names)
    for name in names[1:]:
        marks.add(name)
    assert marks
    assert [name in marks for name in names] == [False, True, True, False]
