"""Virtual time: it passes only when all threads sleep, and threads take turns, so runs are fast and repeatable."""

import heapq
import itertools
import threading
from collections.abc import Callable


class VirtualTime:
    """One clock for several threads. One thread runs at a time, the one that is due next; a sleep hands over."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.slept: list[float] = []
        self._turns = itertools.count()
        self._due: list[tuple[float, int, threading.Event]] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Sleep in a thread that `run` started; alone, just let time pass."""
        assert seconds >= 0
        self.slept.append(seconds)
        turn = threading.Event()
        heapq.heappush(self._due, (self.now + seconds, next(self._turns), turn))
        self._hand_over()
        assert turn.wait(30), "the thread that had the turn never slept or ended"

    def run(self, *workers: Callable[[], None]) -> None:
        """Run the workers side by side, to their end. The first error is raised."""
        errors: list[BaseException] = []
        threads = []
        for worker in workers:
            turn = threading.Event()
            heapq.heappush(self._due, (self.now, next(self._turns), turn))
            threads.append(threading.Thread(target=self._worker, args=(worker, turn, errors), daemon=True))
        for thread in threads:
            thread.start()
        self._hand_over()
        for thread in threads:
            thread.join(30)
        if errors:
            raise errors[0]
        assert not any(thread.is_alive() for thread in threads)

    def _worker(self, worker: Callable[[], None], turn: threading.Event, errors: list[BaseException]) -> None:
        turn.wait(30)
        try:
            worker()
        except BaseException as error:  # whatever ends a thread is raised where the test sees it
            errors.append(error)
        self._hand_over()

    def _hand_over(self) -> None:
        if self._due:
            at, _, turn = heapq.heappop(self._due)
            self.now = max(self.now, at)
            turn.set()
