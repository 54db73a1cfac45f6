"""The native charts of the plan workbook: plain, labelled, and drawn from the cells of its tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.chart import Chart

from optalloc.workbook.plan_labels import PlanSheet
from optalloc.workbook.plan_table import BLUE, GREY, INK, number_format

_GRID = "#E3E8EE"
_SIZE = {"width": 390, "height": 285}
_WIDE = {"width": 790, "height": 325}


@dataclass(frozen=True, slots=True)
class Area:
    """Where a chart's names and values stand: columns and the first row from 0, and how many rows."""

    sheet: PlanSheet
    names: int
    values: int
    first_row: int
    rows: int

    def cells(self, column: int) -> list[str | int]:
        """Return a column of it as the library names ranges."""
        return [self.sheet, self.first_row, column, self.first_row + max(self.rows, 1) - 1, column]


class ChartMaker:
    """Makes the charts of one workbook in one style; `places` are the decimals of its amounts."""

    def __init__(self, book: Workbook, font: str, places: int) -> None:
        self._book, self._font, self._places = book, font, places

    def columns(self, title: str, area: Area, unit: str, colours: Sequence[str], wide: bool = False) -> Chart:
        """Return amounts as columns, each in its colour."""
        chart = self._book.add_chart({"type": "column"})
        series = self._series(area, colours)
        if not wide:
            series["data_labels"] = {"value": True, "num_format": number_format(self._places), "font": self._text(9)}
        chart.add_series(series)
        self._finish(chart, title, _WIDE if wide else _SIZE)
        chart.set_x_axis({"num_font": self._text(9, rotation=_slant(area)), "line": {"color": GREY}})
        chart.set_y_axis(self._amounts(unit, rotation=-90))
        return chart

    def bars(self, title: str, area: Area, unit: str) -> Chart:
        """Return amounts as bars, the first row on top."""
        chart = self._book.add_chart({"type": "bar"})
        series = self._series(area, [])
        series["data_labels"] = {"value": True, "num_format": number_format(self._places), "font": self._text(9)}
        chart.add_series(series)
        self._finish(chart, title, _SIZE)
        chart.set_y_axis({"reverse": True, "num_font": self._text(9), "line": {"color": GREY}})
        # Every bar has its amount beside it; the axis only says the unit.
        chart.set_x_axis(self._amounts(unit) | {"label_position": "none", "major_gridlines": {"visible": False}})
        # Room for the names on the left and for the amount of the longest bar on the right.
        chart.set_plotarea({"layout": {"x": 0.33, "y": 0.15, "width": 0.52, "height": 0.7}})
        return chart

    def against_average(self, title: str, area: Area, axis: str, colours: Sequence[str]) -> Chart:
        """Return shares of an average as columns that rise above or hang below 100 %."""
        chart = self._book.add_chart({"type": "column"})
        chart.add_series(self._series(area, colours))
        self._finish(chart, title, _WIDE)
        chart.set_x_axis(
            {
                "num_font": self._text(9, rotation=_slant(area)),
                "label_position": "low",
                "line": {"color": INK, "width": 1},
            }
        )
        chart.set_y_axis(
            {
                "name": axis,
                "name_font": self._text(9, rotation=-90),
                "num_format": "0%",
                "num_font": self._text(9),
                "crossing": 1,
                "major_gridlines": {"visible": True, "line": {"color": _GRID}},
                "line": {"none": True},
            }
        )
        return chart

    def curve(
        self, title: str, sheet: PlanSheet, first_row: int, rows: int, words: tuple[str, str, str], *, share: bool
    ) -> Chart:
        """Return two lines over the third column of a sheet: what stands in the fourth as marks, in the fifth plain.

        `words` name the axes across and up, and the plain line.
        """
        chart = self._book.add_chart({"type": "scatter", "subtype": "straight_with_markers"})
        last = first_row + rows - 1
        across = [sheet, first_row, 2, last, 2]
        marked = {"type": "circle", "size": 5, "fill": {"color": BLUE}, "border": {"color": BLUE}}
        chart.add_series(
            {
                "name": words[1],
                "categories": across,
                "values": [sheet, first_row, 3, last, 3],
                "line": {"color": BLUE, "width": 1.25},
                "marker": marked,
            }
        )
        chart.add_series(
            {
                "name": words[2],
                "categories": across,
                "values": [sheet, first_row, 4, last, 4],
                "line": {"color": GREY, "width": 1, "dash_type": "dash"},
                "marker": {"type": "none"},
            }
        )
        self._finish(chart, title, _SIZE | {"width": 460})
        chart.set_legend({"position": "bottom", "font": self._text(9)})
        chart.set_x_axis(
            {
                "name": words[0],
                "name_font": self._text(9),
                "num_font": self._text(9),
                "num_format": "0.0%" if share else "#,##0",
                "line": {"color": GREY},
                "major_gridlines": {"visible": False},
            }
        )
        chart.set_y_axis(self._amounts("", rotation=-90) | {"num_format": "#,##0.0"})
        return chart

    def _series(self, area: Area, colours: Sequence[str]) -> dict[str, Any]:
        series: dict[str, Any] = {
            "categories": area.cells(area.names),
            "values": area.cells(area.values),
            "fill": {"color": BLUE},
            "gap": 45,
        }
        if colours:
            series["points"] = [{"fill": {"color": colour}} for colour in colours]
        return series

    def _amounts(self, unit: str, rotation: int = 0) -> dict[str, Any]:
        return {
            "name": unit,
            "name_font": self._text(9, rotation=rotation),
            "num_font": self._text(9),
            "num_format": number_format(0),
            "major_gridlines": {"visible": True, "line": {"color": _GRID}},
            "line": {"none": True},
        }

    def _finish(self, chart: Chart, title: str, size: dict[str, int]) -> None:
        chart.set_title({"name": title, "name_font": self._text(12, bold=True), "overlay": False})
        chart.set_legend({"none": True})
        chart.set_size(size)
        chart.set_chartarea({"border": {"color": _GRID}})

    def _text(self, size: int, bold: bool = False, rotation: int = 0) -> dict[str, Any]:
        return {"name": self._font, "size": size, "bold": bold, "color": INK, "rotation": rotation}


def _slant(area: Area) -> int:
    """Return by how many degrees names are turned so that they do not touch."""
    return -45 if area.rows > 8 else 0
