"""When secondaries are told."""

import itertools

from dns_server.notify.schedule import GIVE_UP_S, LADDER_S, Schedule
from dns_server.notify.targets import Target

ZONE, OTHER = b"\x04zone\0", b"\x05other\0"
TARGET, SECOND = Target("192.0.2.1", 53), Target("192.0.2.2", 53)


def test_each_secondary_of_each_zone_is_told_at_once() -> None:
    schedule = Schedule()
    for zone in (ZONE, OTHER):
        for target in (TARGET, SECOND):
            schedule.want(zone, target, 1, 10.0)
    taken = {(job.zone, job.target) for job in iter(lambda: schedule.take(10.0), None)}
    assert len(taken) == 4


def test_attempts_are_further_and_further_apart_for_a_day() -> None:
    schedule = Schedule()
    schedule.want(ZONE, TARGET, 1, 0.0)
    moments = []
    while (due := schedule.next_due()) is not None:
        job = schedule.take(due)
        assert job is not None
        moments.append(due)
        given_up = schedule.failed(job, due)
        assert given_up == (due >= GIVE_UP_S)
    steps = [after - before for before, after in itertools.pairwise(moments)]
    assert steps[: len(LADDER_S)] == list(LADDER_S)
    assert set(steps[len(LADDER_S) :]) == {LADDER_S[-1]}
    assert GIVE_UP_S <= moments[-1] < GIVE_UP_S + LADDER_S[-1]
    assert len(schedule) == 0


def test_a_newer_version_takes_the_place_of_the_one_before() -> None:
    schedule = Schedule()
    schedule.want(ZONE, TARGET, 1, 0.0)
    old = schedule.take(0.0)
    assert old is not None
    schedule.want(ZONE, TARGET, 2, 1.0)
    assert len(schedule) == 1
    assert not schedule.failed(old, 2.0)  # its attempt was under way
    new = schedule.take(2.0)
    assert new is not None
    assert new.serial == 2
    schedule.done(old)
    assert len(schedule) == 1
    schedule.done(new)
    assert schedule.next_due() is None


def test_a_zone_that_is_gone_is_told_to_nobody() -> None:
    schedule = Schedule()
    schedule.want(ZONE, TARGET, 1, 0.0)
    schedule.want(OTHER, TARGET, 1, 0.0)
    schedule.forget(ZONE)
    job = schedule.take(0.0)
    assert job is not None
    assert job.zone == OTHER
    assert schedule.take(0.0) is None
