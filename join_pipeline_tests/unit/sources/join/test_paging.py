"""Paging: the pages to request and the end of a list, for lists by hand and lists of any length, size and width."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from join_pipeline.sources.join.paging import PAGE_SIZE, Paging


@dataclass
class Walk:
    """A list read to its end: the pages asked for side by side, and the records that counted, in order."""

    windows: list[list[int]] = field(default_factory=list)
    records: list[int] = field(default_factory=list)
    is_paging_ignored: bool = False

    @property
    def n_requests(self) -> int:
        return sum(len(window) for window in self.windows)


def walk(pages: dict[int, list[int]], in_flight: int, first: int = 1) -> Walk:
    """Ask for pages until the machine says it is over; a page that is not in `pages` is empty."""
    paging, done = Paging(in_flight, first=first), Walk()
    while window := paging.window():
        assert len(done.windows) < 10_000, "the list never ends"
        done.windows.append(list(window))
        for number in window:
            records = pages.get(number, [])
            if paging.add(number, len(records), hash(tuple(records))):
                done.records += records
    done.is_paging_ignored = paging.is_paging_ignored
    return done


def listed(n_records: int, size: int = PAGE_SIZE) -> dict[int, list[int]]:
    """What a server with pages of `size` answers."""
    return {start // size + 1: list(range(start, min(start + size, n_records))) for start in range(0, n_records, size)}


FULL = PAGE_SIZE


@pytest.mark.parametrize(
    ("n_records", "size", "in_flight", "windows"),
    [
        pytest.param(0, FULL, 8, [[1]], id="an empty first page ends"),
        pytest.param(3, FULL, 8, [[1], [2]], id="a short first page is followed by page 2, alone"),
        pytest.param(FULL, FULL, 8, [[1], [2, 3]], id="one full page is followed by two"),
        pytest.param(FULL + 1, FULL, 8, [[1], [2, 3]], id="a short second page ends"),
        pytest.param(7 * FULL, FULL, 8, [[1], [2, 3], [4, 5, 6, 7], [*range(8, 16)]], id="windows double"),
        pytest.param(9 * FULL, FULL, 2, [[1], [2, 3], [4, 5], [6, 7], [8, 9], [10, 11]], id="windows stay bounded"),
        pytest.param(3 * FULL, FULL, 1, [[1], [2], [3], [4]], id="one in flight is one at a time"),
        pytest.param(3 * FULL, FULL, 3, [[1], [2, 3], [4, 5, 6]], id="the bound need not be a power of two"),
        pytest.param(60, 20, 8, [[1], [2], [3, 4]], id="a server that caps the size is read on"),
        pytest.param(45, 20, 8, [[1], [2], [3, 4]], id="a capped list ends at its own short page"),
        pytest.param(15, 20, 8, [[1], [2]], id="a capped list of one page ends at page 2"),
    ],
)
def test_pages_are_asked_for_in_windows_until_the_list_ends(n_records, size, in_flight, windows):
    done = walk(listed(n_records, size), in_flight)
    assert done.windows == windows
    assert done.records == list(range(n_records))
    assert not done.is_paging_ignored


@pytest.mark.parametrize("n_records", [1, FULL, 3 * FULL], ids=["short", "as long as a page", "longer than a page"])
@pytest.mark.parametrize("in_flight", [1, 2, 8])
def test_a_page_that_comes_again_and_again_means_that_paging_is_ignored(n_records, in_flight):
    whole = list(range(n_records))
    done = walk(dict.fromkeys(range(1, 100), whole), in_flight)
    assert done.records == whole
    assert done.is_paging_ignored
    assert done.windows[-1] == [1], "the first page is asked for again before that is believed"
    assert done.n_requests <= 4


def test_a_list_that_ignores_paging_and_grows_is_read_to_its_end():
    paging, asked, seen = Paging(4), 0, set()
    while window := paging.window():
        for number in window:
            asked += 1
            whole = range(3 * FULL + min(asked, 9))
            if paging.add(number, len(whole), hash(whole)):
                seen |= set(whole)
    assert paging.is_paging_ignored
    assert seen == set(range(3 * FULL + 9))
    assert asked < 20


@pytest.mark.parametrize("at", [2, 3, 6])
@pytest.mark.parametrize("in_flight", [1, 8])
def test_a_page_pushed_on_by_just_one_page_of_new_records_is_not_taken_for_paging_ignored(at, in_flight):
    seen, paging = grown_at(10 * FULL, {at: FULL}, in_flight)
    assert not paging.is_paging_ignored
    assert seen >= set(range(10 * FULL))


def grown_at(n_before, growth, in_flight):
    """Ids seen of a list, newest first, that grows by so many before each such read; old ids are not negative."""
    paging, seen, now, n_read = Paging(in_flight), set(), list(range(n_before)), 0
    while window := paging.window():
        for number in window:
            n_read += 1
            now = [*range(-growth.get(n_read, 0) - n_read * 10_000, -n_read * 10_000), *now]
            records = now[(number - 1) * FULL : number * FULL]
            if paging.add(number, len(records), hash(tuple(records))):
                seen |= set(records)
    return seen, paging


def test_two_empty_pages_are_the_end_and_not_paging_ignored():
    assert not walk(listed(FULL), 8).is_paging_ignored


def test_records_that_came_after_a_short_page_still_count():
    pages = {1: [*range(FULL)], 2: [90, 91], 3: [92]}  # asked for side by side, while the list grew
    assert walk(pages, 8).records == [*range(FULL), 90, 91, 92]


def test_nothing_is_asked_for_after_a_short_page():
    paging = Paging(8)
    assert list(paging.window()) == [1]
    paging.add(1, FULL, 1)
    assert list(paging.window()) == [2, 3]
    paging.add(2, FULL - 1, 2)
    assert paging.is_ended
    paging.add(3, FULL, 3)
    assert list(paging.window()) == []


def test_pages_must_be_added_in_their_order():
    paging = Paging(8)
    paging.window()
    with pytest.raises(ValueError, match="page 2 added after page 0"):
        paging.add(2, FULL, 1)


def test_a_listing_that_is_resumed_begins_at_its_page():
    pages = listed(7 * FULL + 3)
    assert walk(pages, 4, first=3).windows == [[3], [4, 5], [6, 7, 8, 9]]
    assert walk(pages, 4, first=3).records == list(range(2 * FULL, 7 * FULL + 3))
    assert walk(pages, 4, first=8).windows == [[8], [9]]
    assert walk(pages, 4, first=9).windows == [[9]]


@given(
    n_records=st.integers(0, 3_000),
    size=st.integers(1, PAGE_SIZE),
    in_flight=st.integers(1, 32),
    first=st.integers(1, 5),
)
def test_every_record_is_read_once_and_little_is_asked_for_past_the_end(n_records, size, in_flight, first):
    pages = listed(n_records, size)
    done = walk(pages, in_flight, first)
    assert done.records == list(range((first - 1) * size, n_records))
    assert [page for window in done.windows for page in window] == list(range(first, first + done.n_requests))
    assert len(done.windows[0]) == 1
    assert all(len(window) <= in_flight for window in done.windows)
    assert all(len(after) <= 2 * len(before) for before, after in zip(done.windows, done.windows[1:], strict=False))
    n_pages_from_first = max(len(pages) - first + 1, 0)
    assert done.n_requests - n_pages_from_first <= max(in_flight, 1)


@given(
    n_before=st.integers(1, 1_000),
    growth=st.dictionaries(st.integers(1, 12), st.one_of(st.integers(0, 120), st.sampled_from([FULL, 2 * FULL]))),
    in_flight=st.integers(1, 8),
)
def test_a_list_that_grows_while_it_is_read_loses_no_record(n_before, growth, in_flight):
    seen, paging = grown_at(n_before, growth, in_flight)
    assert set(range(n_before)) <= seen
    assert not paging.is_paging_ignored
