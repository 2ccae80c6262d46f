"""The cells of an experiment that are queued, and the runs that are made of them."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from components.drafts.comparison import Timing
from components.experiments.cell_run import CellRun
from components.experiments.run_order import Cell, Plan


@dataclass(eq=False)
class Line:
    """Cells in order, with their plans; at most ``at_once`` are under way, and as many are ``ready`` to be sent."""

    at_once: int
    cells: deque[tuple[Cell, Plan]] = field(default_factory=deque)
    ready: deque[CellRun] = field(default_factory=deque)
    under_way: int = 0


class CellQueue:
    """The lines of queued cells, and the runs that are not in the log yet. Not thread-safe."""

    def __init__(self) -> None:
        self._sequential = Line(1)
        """Cells of sequential plans, from every start."""
        self.lines = [self._sequential]
        self.runs: dict[CellRun, Cell] = {}
        self._stopped: set[CellRun] = set()

    @property
    def is_empty(self) -> bool:
        """Whether no cell is queued and no run is being made."""
        return not (self.runs or any(line.cells for line in self.lines))

    @property
    def waiting(self) -> int:
        """The number of queued cells."""
        return sum(len(line.cells) for line in self.lines)

    def pending(self) -> Counter[str]:
        """The number of queued cells of each lane."""
        return Counter(cell.lane for cell in self._queued())

    def busy_lanes(self) -> set[str]:
        """The lanes with queued cells or runs that are being made."""
        return {cell.lane for cell in (*self.runs.values(), *self._queued())}

    def waits_to_retry(self, endpoint: str) -> bool:
        """Whether a run waits for a retry at this endpoint."""
        return any(cell.order.endpoint.name == endpoint and cell_run.waits() for cell_run, cell in self.runs.items())

    def add(self, plan: Plan) -> None:
        """Queue the cells of a plan; shared cells that are queued or being made are not added again."""
        cells = [(cell, plan) for cell in plan.cells]
        if plan.shared:
            existing = {(cell.position, cell.repeat) for cell in (*self._queued(), *self.runs.values())}
            cells = [(cell, plan) for cell in plan.cells if (cell.position, cell.repeat) not in existing]
        if plan.timing != Timing.PARALLEL:
            self._sequential.cells.extend(cells)
            return
        if plan.shared:
            self.lines.append(Line(plan.concurrency, deque(cells)))
            return
        by_lane: dict[str, Line] = {}
        for cell, _plan in cells:
            by_lane.setdefault(cell.lane, Line(1)).cells.append((cell, plan))
        self.lines += by_lane.values()

    def drop(self, lane: str | None) -> None:
        """Remove the queued cells of one lane, or of all."""
        for line in self.lines:
            line.cells = deque(each for each in line.cells if lane is not None and each[0].lane != lane)

    def stop(self, chosen: Callable[[Cell], bool]) -> list[CellRun]:
        """The runs of the chosen cells, which count as stopped now: they are under way, and not made again."""
        stopped = [cell_run for cell_run, cell in self.runs.items() if chosen(cell)]
        self._stopped.update(stopped)
        for line in self.lines:
            line.under_way += sum(cell_run in self._stopped for cell_run in line.ready)
            line.ready = deque(cell_run for cell_run in line.ready if cell_run not in self._stopped)
        return stopped

    def is_stopped(self, cell_run: CellRun) -> bool:
        """Whether ``stop`` chose this run."""
        return cell_run in self._stopped

    def concurrency(self, line: Line) -> int:
        """The number of runs under way once the line begins another one, those of other starts included."""
        others = sum(each.under_way for each in self.lines if each is not line)
        return others + min(line.under_way + 1, line.at_once)

    def begin(self, cell_run: CellRun, cell: Cell, line: Line, *, ahead: bool) -> None:
        """Add a run to its line: as ready when it was made ``ahead``, otherwise as under way."""
        self.runs[cell_run] = cell
        if ahead:
            line.ready.append(cell_run)
        else:
            line.under_way += 1

    def send(self, line: Line, waits: Callable[[Cell], bool]) -> list[CellRun]:
        """The runs of a line that were ready and are under way now."""
        sent = []
        while line.ready and line.under_way < line.at_once and not waits(self.runs[line.ready[0]]):
            sent.append(line.ready.popleft())
            line.under_way += 1
        return sent

    def written(self, cell_run: CellRun) -> None:
        """Remove a run that is in the log."""
        del self.runs[cell_run]
        self._stopped.discard(cell_run)

    def remove_finished_lines(self) -> None:
        """Remove the lines that have no more cells and no more runs."""
        self.lines = [
            line for line in self.lines if line.cells or line.ready or line.under_way or line is self._sequential
        ]

    def _queued(self) -> Iterator[Cell]:
        return (cell for line in self.lines for cell, _plan in line.cells)
