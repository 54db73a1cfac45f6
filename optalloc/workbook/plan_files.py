"""The files beside a plan workbook: tables too long for a sheet, as Parquet.

A file has the columns of its sheet under their English names. The sheet then has its headings and one line that names
the file; the manifest names each file with its SHA-256.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from integrated_fund.round import Table
from optalloc.errors import OptallocError, WorkbookUnreadable
from optalloc.plan.plan import Plan
from optalloc.workbook.files import refuse_ending, refuse_output
from optalloc.workbook.plan_rows import PlanValue, Rows

if TYPE_CHECKING:
    import pyarrow as pa

LongSheet = Literal["Awards", "Declined"]
LONG_SHEETS: tuple[LongSheet, ...] = get_args(LongSheet)

#: A table of more rows than this stands in a file beside the workbook.
LONG_TABLE = 200_000

#: More rows than any plan has: a file that claims them was not written by optalloc.
_MOST_ROWS = 50_000_000
_ROWS_OF_GROUP = 250_000
#: Digits of Parquet's decimal128.
_MOST_DIGITS = 38


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A file beside a plan workbook, with the rows of one sheet."""

    sheet: LongSheet
    name: str
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class FileColumn:
    """A column of a file: its cells, None where blank. Numbers are exact, years whole."""

    kind: Literal["text", "year", "number"]
    cells: Sequence[str | int | Decimal | None]


def path_beside(workbook: Path, sheet: LongSheet) -> Path:
    """Return where the rows of a sheet stand: `plan.awards.parquet` beside `plan.xlsx`, links followed."""
    target = workbook.resolve()
    return target.with_name(f"{target.stem}.{sheet.lower()}.parquet")


def long_sheets(plan: Plan) -> tuple[LongSheet, ...]:
    """Return the sheets whose rows stand in files."""
    rows = {"Awards": len(plan.payments), "Declined": len(plan.declined)}
    return tuple(sheet for sheet in LONG_SHEETS if rows[sheet] > LONG_TABLE)


def refuse_plan_output(path: Path, *, force: bool, inputs: Sequence[Path] = ()) -> None:
    """Refuse a plan's output before any work is done for it: the workbook, and the files it may need beside it.

    Raises:
        WrongUse: as `files.refuse_output`, and `ending`, where the name does not end in .xlsx.
    """
    refuse_ending(path)
    refuse_output(path, force=force, inputs=inputs)
    for sheet in LONG_SHEETS:
        refuse_output(path_beside(path, sheet), force=force, inputs=inputs)


def write_file(path: Path, sheet: LongSheet, name: str, columns: Mapping[str, FileColumn]) -> PlanFile:
    """Write the rows of a sheet to `path`, which will be called `name`.

    Raises:
        OptallocError: `too_many_digits`; a column's amounts need more than 38.
    """
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.table({heading: _array(column, name, heading) for heading, column in columns.items()})
    parquet.write_table(table, path, row_group_size=_ROWS_OF_GROUP)
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return PlanFile(sheet, name, table.num_rows, sha256)


def _array(column: FileColumn, name: str, heading: str) -> pa.Array:
    import pyarrow as pa

    if column.kind == "text":
        return pa.array(column.cells, pa.string())
    if column.kind == "year":
        return pa.array(column.cells, pa.int32())
    before = after = 0
    for value in set(column.cells):
        if isinstance(value, Decimal) and value:
            digits, exponent = value.as_tuple()[1:]
            assert isinstance(exponent, int)
            before = max(before, len(digits) + exponent)
            after = max(after, -exponent)
    if before + after > _MOST_DIGITS:
        message = f"The column {heading} needs {before + after} digits; {_MOST_DIGITS} are possible. Use a larger unit."
        raise OptallocError("too_many_digits", message, name)
    return pa.array(column.cells, pa.decimal128(max(before + after, 1), after))


def stated_files(manifest: Mapping[str, object]) -> tuple[PlanFile, ...]:
    """Return the files a plan's manifest names.

    Raises:
        OptallocError: `bad_manifest`, also where a file would not stand beside the workbook.
    """
    stated = manifest.get("files", {})
    if not isinstance(stated, Mapping):
        raise _bad_manifest()
    found = []
    for sheet, entry in stated.items():
        match entry:
            case {"name": str(name), "rows": int(rows), "sha256": str(sha256)} if sheet in LONG_SHEETS:
                if name != Path(name).name or "\\" in name or "\0" in name or not name.endswith(".parquet"):
                    raise _bad_manifest()
                found.append(PlanFile(sheet, name, rows, sha256))
            case _:
                raise _bad_manifest()
    return tuple(found)


def files_for_manifest(files: Sequence[PlanFile]) -> dict[str, object]:
    """Return files as the manifest names them."""
    return {file.sheet: {"name": file.name, "rows": file.rows, "sha256": file.sha256} for file in files}


def _bad_manifest() -> OptallocError:
    message = "The value of 'files' names no files of a plan; a plan's manifest is not for editing."
    return OptallocError("bad_manifest", message, "Manifest")


def read_file(folder: Path, name: str, headings: Sequence[str]) -> tuple[Rows, str]:
    """Read columns of a file beside a plan workbook; return them with the file's SHA-256.

    Raises:
        WorkbookUnreadable: `file_missing`, `damaged` (it is no Parquet file that can be read), `not_a_plan` (a column
            is missing, or of a type that no plan has), `too_large`.
    """
    import pyarrow as pa
    from pyarrow import parquet

    path = folder / name
    if not path.exists():
        message = f"The rows of the plan are in the file {name}, which is not beside the workbook. Copy it to {folder}."
        raise WorkbookUnreadable("file_missing", message, name)
    try:
        if not path.is_file():
            raise OSError(f"{name} is no ordinary file")
        content = path.read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        file = parquet.ParquetFile(io.BytesIO(content))
        if file.metadata.num_rows > _MOST_ROWS:
            raise WorkbookUnreadable("too_large", f"{name} has more rows than a plan can have.", name)
        for heading in headings:
            _refuse_type(file.schema_arrow, heading, name)
        table = file.read(columns=list(headings))
        columns = {heading: _values(table[heading]) for heading in headings}
    except (pa.ArrowException, OSError, ValueError) as error:
        message = f"{name} cannot be read as the table the plan refers to. Copy it again from where the plan was made."
        raise WorkbookUnreadable("damaged", message, name) from error
    origin = Table(name, {heading: heading for heading in headings}, is_file=True)
    return Rows(origin, range(1, table.num_rows + 1), columns), sha256


def _refuse_type(schema: pa.Schema, heading: str, name: str) -> None:
    import pyarrow as pa

    at = schema.get_all_field_indices(heading)
    if len(at) != 1:
        raise WorkbookUnreadable("not_a_plan", f"{name} must have one column {heading}; it has {len(at)}.", name)
    kind = schema.field(at[0]).type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    plain = (
        pa.types.is_string, pa.types.is_large_string, pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal,
        pa.types.is_boolean, pa.types.is_null,
    )  # fmt: skip
    if not any(is_one(kind) for is_one in plain):
        raise WorkbookUnreadable("not_a_plan", f"The column {heading} of {name} holds {kind}.", name)


def _values(column: pa.ChunkedArray) -> list[PlanValue]:
    """Return a column's values; equal ones are one object."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_null(column.type):
        return [None] * len(column)
    whole = column.combine_chunks().dictionary_encode()
    values: list[Any] = whole.dictionary.to_pylist()
    if pa.types.is_integer(column.type):
        values = [Decimal(value) for value in values]
    values.append(None)  # at -1
    return [values[at] for at in whole.indices.fill_null(-1).to_numpy().tolist()]
