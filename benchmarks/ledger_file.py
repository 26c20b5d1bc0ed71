"""(e) A ledger of 100,000 rows in .xlsx by the wizard: read, checked, received, beside a bare read of the file."""

from __future__ import annotations

import resource
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from benchmarks.ground import BENCH, ready
from benchmarks.rows import Row, row, timed, told
from ledgers import mixed, workbook

AT = datetime(2026, 11, 20, 4, tzinfo=UTC)
ROWS, BROKEN, FEW = 100_000, 500, 3000
OPENPYXL = (
    "import sys, openpyxl; book = openpyxl.load_workbook(sys.argv[1], read_only=True);"
    " print(sum(1 for _ in book.worksheets[0].iter_rows(values_only=True)))"
)
PANDAS = "import sys, pandas; print(len(pandas.read_excel(sys.argv[1], engine='openpyxl')) + 1)"


def run(*, small: bool) -> list[Row]:
    """The file is made anew; twice received, so that the second time adds nothing."""
    database = ready()
    count, broken = (FEW, BROKEN // 10) if small else (ROWS, BROKEN)
    rows, known = mixed(count, broken)
    file = BENCH / f"ledger-{count}.xlsx"
    file.write_bytes(workbook(rows))
    del rows
    content = file.read_bytes()
    by = _town()
    with _Memory() as memory:
        spent = _through(content, by)
        assert spent.counts == (count - broken, 0, 0, broken), spent.counts
    again = _through(content, by)
    assert again.counts == (0, count, 0, 0), again.counts
    assert spent.named == known.keys()
    whole = spent.read + spent.checked + spent.received
    peers = [] if small and database != "SQLite" else [_bare(file, OPENPYXL, count), _bare(file, PANDAS, count)]
    return [
        row("e", f"{count:,} rows read, checked and received", database, [whole], "s", at_most=90,
            note=f"{broken} broken cells, every one named; {len(content) / 2**20:.1f} MB"),
        row("e", "of which read and looked through", database, [spent.read], "s"),
        row("e", "of which checked", database, [spent.checked], "s"),
        row("e", "of which received", database, [spent.received], "s"),
        row("e", "Most memory, with the process that reads", database, [memory.most / 2**20], "MB", at_most=1024),
        row("e", "The same file again", database, [again.read + again.checked + again.received], "s",
            note="nothing is added"),
        *[row("e", f"A bare read of the file by {name}", database, [seconds], "s", note=f"{mb:.0f} MB, nothing checked")
          for name, (seconds, mb) in zip(("openpyxl", "pandas"), peers, strict=False)],
    ]  # fmt: skip


class _Spent:
    def __init__(self) -> None:
        self.read = self.checked = self.received = 0.0
        self.counts: tuple[int, ...] = ()
        self.named: set[int] = set()


def _town() -> Any:
    from world import world

    return world(AT).administrator


def _through(content: bytes, by: Any) -> _Spent:
    from anlan.intake.models import UploadRow
    from anlan.intake.uploading import uploads
    from anlan.intake.uploading import work as upload_work

    found = _Spent()
    with timed() as spent:
        upload = uploads.begin(content, name="台账.xlsx", layout="", by=by, at=AT)
    found.read = spent.wall
    assert upload.layout == "hazard_ledger"
    with timed() as spent:
        uploads.check(upload, columns=upload.columns, area=None, by=by, at=AT)
        while upload_work.go_on(upload.pk, at=AT):
            pass
    found.checked = spent.wall
    found.named = set(UploadRow.objects.filter(upload=upload).values_list("row_no", flat=True))
    with timed() as spent:
        uploads.receive(upload, at=AT)
        while upload_work.go_on(upload.pk, at=AT):
            pass
    found.received = spent.wall
    upload.refresh_from_db()
    assert upload.state == "done", upload.notes
    found.counts = (upload.good, upload.repeated, upload.changed, upload.bad)
    return found


class _Memory:
    """The most memory this process and the one that reads for it had at one moment, in bytes."""

    most = 0

    def __enter__(self) -> Self:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        me = Path("/proc/self/task")
        while not self._stop.wait(0.05):
            pids = {"self", *(pid for task in me.iterdir() for pid in (task / "children").read_text().split())}
            self.most = max(self.most, sum(_resident(pid) for pid in pids))


def _resident(pid: str) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()
    except (OSError, IndexError):
        return 0


def _bare(file: Path, program: str, count: int) -> tuple[float, float]:
    """Seconds and MB of a program that reads the file and does nothing with it."""
    before = time.perf_counter()
    measured = f"{program}; import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    done = subprocess.run([sys.executable, "-c", measured, str(file)], check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - before
    read, memory = done.stdout.split()
    assert int(read) == count + 1
    return seconds, int(memory) / 1024


if __name__ == "__main__":
    told(run)
