"""optalloc: allocation of an integrated special fund. A round workbook in, a verified plan out.

    import optalloc

    round_ = optalloc.read("round.xlsx")
    plan = optalloc.solve(round_)
    print(optalloc.tables(plan)["awards"])

A rule of one's own goes on the Pyomo model between `formulate` and `solve`:

    fund = optalloc.formulate(round_)
    fund.model.mine = pyo.Constraint(expr=fund.accepted("P01") + fund.accepted("P02") <= 1)
    plan = optalloc.solve(fund)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optalloc.api import InvalidRound, NoPlanExists, formulate, read, solve, tables

__all__ = ["InvalidRound", "NoPlanExists", "__version__", "formulate", "read", "solve", "tables"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import the functions when they are asked for: `optalloc --help` must not wait for Pyomo."""
    if name in __all__:
        from optalloc import api

        return getattr(api, name)
    raise AttributeError(f"module 'optalloc' has no attribute {name!r}")
