"""Files written whole or not at all; several that belong together, all of them or none.

A file is made under another name in the folder it belongs to, brought to the disk, and then given its own name: whoever
looks sees the old file or the new one, never half of one. What is there already stays, unless it may be replaced.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from optalloc.errors import WrongUse

#: What a full disk, a used-up quota and a limit on file sizes look like.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def refuse_output(path: Path, *, force: bool, inputs: Sequence[Path] = ()) -> None:
    """Refuse an output that must not be written, before any work is done for it.

    Raises:
        WrongUse: `is_input` (also under another name or through a link), `folder_missing`, `not_regular` (a folder, a
            device, a pipe, a link to itself), `exists` (without `force`), `not_writable` (no right to write there).
    """
    _target(path, force=force, inputs=inputs)


def refuse_ending(path: Path, ending: str = ".xlsx") -> None:
    """Refuse a name for a workbook that says it is something else.

    Raises:
        WrongUse: `ending`.
    """
    if path.suffix.lower() != ending.lower():
        raise WrongUse("ending", f"{path.name} is to be a workbook: give it a name that ends in {ending}.")


def write_whole(path: Path, writer: Callable[[Path], object], *, force: bool, inputs: Sequence[Path] = ()) -> None:
    """Write a file whole or not at all: `writer` fills a new file, with the same ending, in the same folder.

    A link is followed: the file it leads to is written. Whatever `writer` raises passes through, apart from `OSError`;
    nothing is left behind then, and a file that was there stays as it was.

    Raises:
        WrongUse: as `refuse_output`, and `disk_full`.
    """
    write_together([path], lambda temporary: writer(temporary[0]), force=force, inputs=inputs)


def write_together(
    paths: Sequence[Path], writer: Callable[[Sequence[Path]], object], *, force: bool, inputs: Sequence[Path] = ()
) -> None:
    """Write files that belong together, as `write_whole` does: all of them or none.

    `writer` gets a new file for each of `paths`, in their order. They get their names in that order too, the file that
    leads to the others should be the last: who finds it finds all of them. Where one cannot get its name, those
    before it are taken back.

    Raises:
        WrongUse: as `write_whole`.
    """
    targets = [_target(path, force=force, inputs=inputs) for path in paths]
    mark = f".optalloc-{secrets.token_hex(8)}"
    temporary = [target.with_name(f"{mark}-{n}{target.suffix}") for n, target in enumerate(targets)]
    with _os_errors(paths[-1]), contextlib.ExitStack() as leftovers:
        for path in temporary:
            leftovers.callback(path.unlink, missing_ok=True)
            # The mode a new file gets from the system, not the private one of `tempfile`.
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        writer(temporary)
        for path in temporary:
            with path.open("rb+") as written:
                os.fsync(written.fileno())
        with contextlib.ExitStack() as undo:
            for new, target, path in zip(temporary, targets, paths, strict=True):
                if force:
                    if path is not paths[-1]:
                        _keep_old(target, new.with_name(f"{new.stem}-old{target.suffix}"), undo, leftovers)
                    if target.exists():
                        new.chmod(stat.S_IMODE(target.stat().st_mode))
                    new.replace(target)
                else:
                    _name_new(new, target, path)
                    undo.callback(target.unlink)
            undo.pop_all()
        for folder in {target.parent for target in targets}:
            _sync_folder(folder)


def _keep_old(target: Path, old: Path, undo: contextlib.ExitStack, leftovers: contextlib.ExitStack) -> None:
    """Keep what a file is about to replace under another name: `undo` brings it back, `leftovers` removes it."""
    if not target.exists():
        undo.callback(target.unlink, missing_ok=True)
        return
    leftovers.callback(old.unlink, missing_ok=True)
    try:
        os.link(target, old)
    except OSError:  # a file system without hard links
        shutil.copy2(target, old)
    undo.callback(old.replace, target)


def _target(path: Path, *, force: bool, inputs: Sequence[Path]) -> Path:
    """Return the file that `path` leads to, if it may be written."""
    with _os_errors(path):
        try:
            target = path.resolve()
        except RuntimeError as loop:
            raise WrongUse("not_regular", f"{path} is a link that leads back to itself; name another file.") from loop
        exists = target.exists()
        for given in inputs:
            same = given.resolve() == target or (exists and given.exists() and given.samefile(target))
            if same:
                raise WrongUse("is_input", f"{path} is the file that is read; name another one for the output.")
        if not target.parent.is_dir():
            raise WrongUse("folder_missing", f"There is no folder {target.parent} to write {target.name} in.")
        if exists and not target.is_file():
            raise WrongUse("not_regular", f"{path} is a folder or a device, no ordinary file; name a file.")
        if exists and not force:
            raise _exists(path)
        if not os.access(target.parent, os.W_OK | os.X_OK):
            raise WrongUse("not_writable", f"There is no permission to write in the folder {target.parent}.")
    return target


def _exists(path: Path) -> WrongUse:
    return WrongUse("exists", f"{path} is there already. Name another file, or add --force to replace it.")


def _name_new(temporary: Path, target: Path, path: Path) -> None:
    """Give a file its name unless that has been taken in the meantime."""
    try:
        os.link(temporary, target)
    except FileExistsError as taken:
        raise _exists(path) from taken
    except OSError:  # a file system without hard links
        if target.exists():
            raise _exists(path) from None
        temporary.replace(target)


def _sync_folder(folder: Path) -> None:
    """Bring a folder's list of names to the disk, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # Some network file systems cannot; the file itself is on the disk by now.
        with contextlib.suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _os_errors(path: Path) -> Iterator[None]:
    """Say in a user's words what the system refused."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            message = f"There is no room left to write {path}. Make room on the disk, or write to another one."
            raise WrongUse("disk_full", message) from error
        reason = os.strerror(error.errno).lower() if error.errno else "the system refuses"
        raise WrongUse("not_writable", f"{path} cannot be written: {reason}.") from error
