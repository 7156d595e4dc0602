"""One order of events of many channels: causes before effects, the same however often, also where somebody lies."""

from __future__ import annotations

import random

import pytest

from services.audit.event import Event, Standing
from services.audit.opening import Opening
from services.audit.ordering import _Merge, in_one_order
from services.audit.packed import DigestSet
from services.wire.hashing import Digest, digest_of


def an_event(channel: str, sequence: int, written_at: int, after: Digest | None = None, reply: Digest | None = None) -> Event:
    body = digest_of(f"{channel} {sequence}".encode())
    return Event(
        channel=channel,
        epoch=0,
        sequence=sequence,
        digest=body,
        body=body,
        written_at=written_at,
        standing=Standing.TAKEN,
        opening=Opening.OPENED,
        after=after,
        in_reply_to=reply,
    )


def ordered(*channels: list[Event], known: int = 0) -> list[tuple[str, int]]:
    """Return the places of the events in the one order; those of ``known`` channels are known before any is given."""
    first, others = ([each.body for channel in some for each in channel] for some in (channels[:known], channels[known:]))
    order = in_one_order(map(iter, channels), DigestSet(first), lambda: others)
    return [(each.channel, each.sequence) for each in order]


def told(rng: random.Random) -> list[list[Event]]:
    """Return channels of writers whose clocks are hours apart, each event after any that its writer may have known."""
    channels: dict[str, list[Event]] = {name: [] for name in ("ash", "birch", "cedar", "dogwood")[: rng.randint(1, 4)]}
    clocks = {name: rng.randint(0, 50) for name in channels}
    known: list[Event] = []
    for _ in range(rng.randint(1, 30)):
        name = rng.choice(sorted(channels))
        clocks[name] += rng.randint(0, 5)
        links = [rng.choice(known).body if known and rng.random() < 0.6 else None for _ in range(2)]
        made = an_event(name, len(channels[name]) + 1, clocks[name], links[0], links[1])
        channels[name].append(made)
        known.append(made)
    return list(channels.values())


@pytest.mark.parametrize("seed", range(200))
def test_causes_stand_before_effects_and_each_channel_keeps_its_order_whatever_the_clocks_say(seed: int) -> None:
    channels = told(random.Random(seed))  # noqa: S311  # the same history in every run
    found = ordered(*channels)
    places = {place: index for index, place in enumerate(found)}
    events = {(each.channel, each.sequence): each for channel in channels for each in channel}
    by_body = {each.body: place for place, each in events.items()}
    assert len(found) == len(events)
    for place, event in events.items():
        for link in (event.after, event.in_reply_to):
            assert link is None or places[by_body[link]] < places[place]
    for channel in channels:
        mine = [sequence for name, sequence in found if name == channel[0].channel] if channel else []
        assert mine == [each.sequence for each in channel]
    assert ordered(*reversed(channels)) == found
    assert ordered(*channels, known=1) == ordered(*channels, known=len(channels)) == found


def test_a_cause_that_is_not_in_the_log_is_not_waited_for() -> None:
    assert ordered([an_event("ash", 1, 5, after=digest_of(b"elsewhere"))]) == [("ash", 1)]


def test_where_nothing_says_which_was_first_the_earlier_writing_is_then_the_name() -> None:
    ash, birch = [an_event("ash", 1, 7), an_event("ash", 2, 9)], [an_event("birch", 1, 7), an_event("birch", 2, 8)]
    assert ordered(birch, ash) == [("ash", 1), ("birch", 1), ("birch", 2), ("ash", 2)]


def test_liars_who_name_each_others_later_events_hold_nobody_up() -> None:
    later_ash, later_birch = digest_of(b"ash 2"), digest_of(b"birch 2")
    ash = [an_event("ash", 1, 3, after=later_birch), an_event("ash", 2, 4)]
    birch = [an_event("birch", 1, 2, after=later_ash), an_event("birch", 2, 5)]
    honest = [an_event("cedar", 1, 9)]
    found = ordered(ash, birch, honest)
    assert sorted(found) == [("ash", 1), ("ash", 2), ("birch", 1), ("birch", 2), ("cedar", 1)]
    # All that can go on without the lies does; then the earliest of what waits.
    assert found[:2] == [("cedar", 1), ("birch", 1)]
    assert ordered(honest, birch, ash) == found


def test_a_school_whose_events_each_name_a_later_one_of_its_own_leaves_nothing_behind_to_be_looked_at_each_time() -> None:
    """Each release would look at all that ever waited: a hundred thousand such events would take minutes."""
    count = 50
    ash = [an_event("ash", number, 1, after=digest_of(f"birch {number + 1}".encode())) for number in range(1, count + 1)]
    birch = [an_event("birch", 1, 1, after=digest_of(f"ash {count + 1}".encode()))]
    birch += [an_event("birch", number, 1) for number in range(2, count + 2)]
    ash.append(an_event("ash", count + 1, 1))
    merge = _Merge(DigestSet(each.body for each in (*ash, *birch)), None)
    for channel in (ash, birch):
        merge.next_of(iter(channel))
    given = 0
    while merge.pop() is not None:
        given += 1
        assert all(merge.waiting.values())
    assert given == len(ash) + len(birch)
