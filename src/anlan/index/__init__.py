"""Figures from counts by declared definitions. This layer never sees the web framework or the database's models.

`counting` makes values of facts, `scoring` makes scores of values, `rulebook` holds what is declared beside the
indicators, and `editions` keeps what is published. The folders of declarations stand beside them.

In a notebook: `import anlan.index as ix`, then `ix.score(…)`; see `anlan.index.scoring.frames`. Its names are looked up
when they are asked for, so that nothing else waits for pandas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anlan.index.scoring.frames import Scores, as_panel, read, score
    from anlan.index.scoring.scenarios import Scenarios

__all__ = ["Scenarios", "Scores", "as_panel", "read", "score"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(name)
    from anlan.index.scoring import frames  # noqa: PLC0415 - see above

    return getattr(frames, name)
