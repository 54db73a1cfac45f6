"""Curves of the dearest bounds as pictures: steps that were solved, and the line of the linear relaxation."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import matplotlib as mpl

mpl.use("Agg")
from matplotlib.figure import Figure

from optalloc.errors import WrongUse
from optalloc.plan.price_report import Curve, PriceReport

_BLUE, _GREY = "#1F4E79", "#66727F"
_FORMATS = ("png", "svg")


def draw_curves(report: PriceReport, folder: Path, *, unit: str) -> list[Path]:
    """Draw each curve of a report as PNG and SVG into a folder, which is made where it is missing.

    Raises:
        WrongUse: the folder cannot be written.
    """
    drawn = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, curve in enumerate(report.curves, 1):
            figure = _figure(curve, unit)
            for ending in _FORMATS:
                path = folder / f"{number:02d}_{_file_name(curve)}.{ending}"
                figure.savefig(path, dpi=150, metadata={"Date": None} if ending == "svg" else None)
                drawn.append(path)
    except OSError as failure:
        raise WrongUse("not_writable", f"{folder} cannot be written: {failure.strerror}.") from failure
    return drawn


def _figure(curve: Curve, unit: str) -> Figure:
    factor = 100 if curve.is_share else 1
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.subplots()
    lines = [(float(p.bound) * factor, float(p.relaxed)) for p in curve.points if p.relaxed is not None]
    steps = [(float(p.bound) * factor, float(p.value)) for p in curve.points if p.value is not None]
    if lines:
        axes.plot(*zip(*lines, strict=True), color=_GREY, linestyle="--", linewidth=1, label="linear relaxation")
    if steps:
        # What is found at a bound also stands where it is looser.
        where: Literal["post", "pre"] = "post" if steps[-1][1] >= steps[0][1] else "pre"
        axes.step(*zip(*steps, strict=True), where=where, color=_BLUE, linewidth=1)
        axes.plot(*zip(*steps, strict=True), "o", color=_BLUE, markersize=4, label="solved again")
    axes.set_title(curve.rule if curve.member is None else f"{curve.rule} [{curve.member}]", loc="left")
    axes.set_xlabel("bound in per cent" if curve.is_share else f"bound ({unit} where it is money)")
    axes.set_ylabel("objective")
    axes.ticklabel_format(useOffset=False)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return figure


def _file_name(curve: Curve) -> str:
    name = curve.rule if curve.member is None else f"{curve.rule}_{curve.member}"
    return re.sub(r"[^\w-]+", "_", name)[:60]
