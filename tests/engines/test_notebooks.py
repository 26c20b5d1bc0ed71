"""The notebooks of docs run from top to bottom as they are, on the published data."""

from __future__ import annotations

import nbclient
import nbformat
import pytest

from anlan.kernel.catalogue import PACKAGE
from published import SHELF, here

NOTEBOOKS = sorted((PACKAGE.parents[1] / "docs/notebooks").glob("*.ipynb"))


@here
@pytest.mark.filterwarnings("ignore")  # the kernel's own machinery warns of itself
@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_a_notebook_runs_from_top_to_bottom(path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASEM_DATA", str(SHELF and SHELF / "asem"))
    book = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    assert not any(cell.get("outputs") for cell in book.cells), "outputs hold other people's data; clear them"
    nbclient.NotebookClient(book, timeout=300, kernel_name="python3").execute()
    said = "\n".join(str(cell.get("outputs")) for cell in book.cells)
    assert "CHE" in said
    assert "SusEcFin" in said
