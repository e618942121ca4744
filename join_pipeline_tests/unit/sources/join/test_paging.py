"""Paging: the pages to request and the end of a list, for lists by hand and lists of any length, size and width."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from join_pipeline.sources.join.paging import ALIKE, PAGE_SIZE, Paging


@dataclass
class Walk:
    """A list read to its end: the pages asked for side by side, and the records that counted, in order."""

    windows: list[list[int]] = field(default_factory=list)
    records: list[int] = field(default_factory=list)
    is_repeating: bool = False

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
    done.is_repeating = paging.is_repeating
    return done


def listed(n_records: int, size: int = PAGE_SIZE) -> dict[int, list[int]]:
    """What a server with pages of `size` answers."""
    return {start // size + 1: list(range(start, min(start + size, n_records))) for start in range(0, n_records, size)}


FULL = PAGE_SIZE


@pytest.mark.parametrize(
    ("n_records", "size", "in_flight", "windows"),
    [
        pytest.param(0, FULL, 8, [[1], [1]], id="an empty first page is asked for once more"),
        pytest.param(3, FULL, 8, [[1], [2], [2]], id="a short first page is followed by page 2, alone"),
        pytest.param(FULL, FULL, 8, [[1], [2, 3], [2]], id="an empty page after a full one is asked for once more"),
        pytest.param(FULL + 1, FULL, 8, [[1], [2, 3]], id="a short page and an empty one after it are the end"),
        pytest.param(FULL + 1, FULL, 1, [[1], [2], [3]], id="a short page alone is not the end"),
        pytest.param(7 * FULL, FULL, 8, [[1], [2, 3], [4, 5, 6, 7], [*range(8, 16)], [8]], id="windows double"),
        pytest.param(
            9 * FULL, FULL, 2, [[1], [2, 3], [4, 5], [6, 7], [8, 9], [10, 11], [10]], id="windows stay bounded"
        ),
        pytest.param(3 * FULL, FULL, 1, [[1], [2], [3], [4], [4]], id="one in flight is one at a time"),
        pytest.param(3 * FULL, FULL, 3, [[1], [2, 3], [4, 5, 6], [4]], id="the bound need not be a power of two"),
        pytest.param(60, 20, 8, [[1], [2], [3, 4], [4]], id="a server that caps the size is read on"),
        pytest.param(45, 20, 8, [[1], [2], [3, 4]], id="a capped list ends with its own short page"),
        pytest.param(15, 20, 8, [[1], [2], [2]], id="a capped list of one page ends at page 2"),
    ],
)
def test_pages_are_asked_for_in_windows_until_the_list_ends(n_records, size, in_flight, windows):
    done = walk(listed(n_records, size), in_flight)
    assert done.windows == windows
    assert done.records == list(range(n_records))
    assert not done.is_repeating


@pytest.mark.parametrize("n_records", [1, FULL, 3 * FULL], ids=["short", "as long as a page", "longer than a page"])
@pytest.mark.parametrize("in_flight", [1, 2, 8])
def test_a_page_that_comes_again_and_again_is_never_taken_for_a_whole_list(n_records, in_flight):
    done = walk({page: list(range(n_records)) for page in range(1, 100)}, in_flight)
    assert done.is_repeating
    assert done.n_requests <= 8
    pages = [page for window in done.windows for page in window]
    assert pages.count(1) == 2, "the list is read again from its start"
    assert done.windows[-1] == [2], "and the page that repeats is asked for again each time"


@pytest.mark.parametrize("in_flight", [1, 8])
@pytest.mark.parametrize("period", [2, 3, 5])
def test_pages_in_a_circle_are_no_list(period, in_flight):
    pages = {n: list(range((n % period) * FULL, (n % period + 1) * FULL)) for n in range(1, 100)}
    done = walk(pages, in_flight)
    assert done.is_repeating
    assert done.n_requests < 40


def test_a_list_that_ignores_paging_and_grows_is_not_taken_for_whole():
    paging, asked = Paging(4), 0
    while window := paging.window():
        for number in window:
            asked += 1
            whole = range(3 * FULL + min(asked, 9))
            paging.add(number, len(whole), hash(whole))
    assert paging.is_repeating
    assert asked < 30


@dataclass
class Flawed:
    """A list of pages of which some are wrong the first time that they are asked for."""

    pages: dict[int, list[int]]
    wrong: dict[int, list[int]]
    n_asked: int = 0

    def walk(self, in_flight: int) -> tuple[list[int], Paging]:
        paging, records, wrong = Paging(in_flight), [], dict(self.wrong)
        while window := paging.window():
            answers = [wrong.pop(number, self.pages.get(number, [])) for number in window]
            self.n_asked += len(answers)
            for number, answer in zip(window, answers, strict=True):
                if paging.add(number, len(answer), hash(tuple(answer))):
                    records += answer
        return records, paging


@pytest.mark.parametrize("in_flight", [1, 2, 8])
@pytest.mark.parametrize(
    ("n_records", "wrong"),
    [
        pytest.param(297, {1: 47}, id="the first page is short once"),
        pytest.param(297, {3: 47}, id="a page in the middle is short once"),
        pytest.param(297, {5: 1}, id="the page before the last is short once"),
        pytest.param(297, {1: 0}, id="the first page is empty once"),
        pytest.param(297, {3: 0}, id="a page in the middle is empty once"),
        pytest.param(297, {6: 0}, id="the last page is empty once"),
        pytest.param(300, {6: 0}, id="the last page, a full one, is empty once"),
        pytest.param(30, {1: 0}, id="the only page is empty once"),
    ],
)
def test_a_page_that_is_cut_off_once_loses_nothing(n_records, wrong, in_flight):
    pages = listed(n_records)
    flawed = Flawed(pages, {page: pages[page][:n] for page, n in wrong.items()})
    records, paging = flawed.walk(in_flight)
    assert set(records) == set(range(n_records))
    assert not paging.is_repeating


@pytest.mark.parametrize("in_flight", [1, 2, 8])
@pytest.mark.parametrize(("page", "like"), [(2, 1), (4, 3), (4, 1), (6, 5)])
def test_a_page_that_shows_another_one_once_loses_nothing(page, like, in_flight):
    pages = listed(297)
    flawed = Flawed(pages, {page: pages[like]})
    records, paging = flawed.walk(in_flight)
    assert sorted(records) == list(range(297))
    assert not paging.is_repeating
    assert flawed.n_asked <= len(pages) + 2 * in_flight + 3


def test_a_server_whose_pages_have_different_lengths_is_read_to_its_end_and_not_asked_twice_for_each():
    lengths = [50, 48, 50, 31, 49, 50, 47, 12, 50, *[45] * 40]
    pages = {n: list(range(n * 100, n * 100 + length)) for n, length in enumerate(lengths, start=1)}
    done = walk(pages, 1)
    assert sorted(done.records) == sorted(record for page in pages.values() for record in page)
    assert done.n_requests <= len(pages) + 2 * ALIKE + 2


@pytest.mark.parametrize("at", [2, 3, 6])
@pytest.mark.parametrize("in_flight", [1, 8])
def test_a_page_pushed_on_by_just_one_page_of_new_records_is_not_taken_for_paging_ignored(at, in_flight):
    seen, paging = grown_at(10 * FULL, {at: FULL}, in_flight)
    assert not paging.is_repeating
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


def test_records_that_came_after_a_short_page_still_count():
    pages = {1: [*range(FULL)], 2: [90, 91], 3: [92]}  # asked for side by side, while the list grew
    assert walk(pages, 8).records == [*range(FULL), 90, 91, 92]


def test_a_page_that_stays_empty_while_the_next_one_has_records_is_not_the_end():
    pages = {1: [*range(FULL)], 2: [], 3: [*range(FULL, 2 * FULL)], 4: [7_000]}
    assert walk(pages, 8).records == [*range(2 * FULL), 7_000]


def test_an_empty_page_after_a_short_one_is_believed_at_once_where_longer_pages_were_seen():
    paging = Paging(8, largest=4)
    assert list(paging.window()) == [1]
    paging.add(1, 3, 1)
    assert list(paging.window()) == [2]
    paging.add(2, 0, 2)
    assert paging.is_ended


def test_pages_must_be_added_in_their_order():
    paging = Paging(8)
    paging.window()
    with pytest.raises(ValueError, match="page 2 added, and page 1 is due"):
        paging.add(2, FULL, 1)


def test_a_listing_that_is_resumed_begins_at_its_page():
    pages = listed(7 * FULL + 3)
    assert walk(pages, 4, first=3).windows == [[3], [4, 5], [6, 7, 8, 9]]
    assert walk(pages, 4, first=3).records == list(range(2 * FULL, 7 * FULL + 3))
    assert walk(pages, 4, first=8).windows == [[8], [9], [9]]
    assert walk(pages, 4, first=9).windows == [[9], [9]]


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
    asked = [page for window in done.windows for page in window]
    assert sorted(set(asked)) == list(range(first, max(asked) + 1))
    assert len(asked) - len(set(asked)) <= 1, "no list costs more than one request to prove its end"
    assert len(done.windows[0]) == 1
    assert all(len(window) <= in_flight for window in done.windows)
    assert all(len(after) <= 2 * len(before) for before, after in zip(done.windows, done.windows[1:], strict=False))
    n_pages_from_first = max(len(pages) - first + 1, 0)
    assert done.n_requests - n_pages_from_first <= in_flight + 1


@given(
    n_before=st.integers(1, 1_000),
    growth=st.dictionaries(st.integers(1, 12), st.one_of(st.integers(0, 120), st.sampled_from([FULL, 2 * FULL]))),
    in_flight=st.integers(1, 8),
)
def test_a_list_that_grows_while_it_is_read_loses_no_record(n_before, growth, in_flight):
    seen, paging = grown_at(n_before, growth, in_flight)
    # by exactly one page, in both readings: that can't be told from a server that does not page
    assert paging.is_repeating or set(range(n_before)) <= seen
    if sum(n > 0 and n % FULL == 0 for n in growth.values()) < 2:
        assert not paging.is_repeating


@given(
    data=st.data(), n_records=st.integers(1, 600), size=st.sampled_from([5, 20, PAGE_SIZE]), in_flight=st.integers(1, 8)
)
def test_one_wrong_answer_of_any_kind_loses_no_record(data, n_records, size, in_flight):
    """Each page may be wrong once: empty, another page, or short although pages follow."""
    pages = listed(n_records, size)
    page = data.draw(st.sampled_from(sorted(pages)))
    kinds = ["empty", "another"] + ["short"] * (page < len(pages))
    kind = data.draw(st.sampled_from(kinds))
    wrong = [] if kind == "empty" else pages[data.draw(st.sampled_from(sorted(pages)))]
    if kind == "short":
        wrong = pages[page][: data.draw(st.integers(1, size))]
    flawed = Flawed(pages, {page: wrong})
    records, paging = flawed.walk(in_flight)
    assert set(records) == set(range(n_records))
    assert not paging.is_repeating
    assert flawed.n_asked <= 2 * (len(pages) + in_flight + 3)
