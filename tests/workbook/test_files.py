"""Files written whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from optalloc.errors import WrongUse
from optalloc.workbook.files import refuse_output, write_whole


def _hello(path: Path) -> None:
    path.write_text("hello")


def test_a_new_file_is_written_and_nothing_else(tmp_path: Path) -> None:
    write_whole(tmp_path / "plan.xlsx", _hello, force=False)
    assert [entry.name for entry in tmp_path.iterdir()] == ["plan.xlsx"]
    assert (tmp_path / "plan.xlsx").read_text() == "hello"


def test_the_temporary_file_stands_in_the_same_folder_with_the_same_ending(tmp_path: Path) -> None:
    seen: list[Path] = []

    def writer(path: Path) -> None:
        seen.append(path)
        path.write_text("x")

    write_whole(tmp_path / "round.lp", writer, force=False)
    assert seen[0].parent == tmp_path
    assert seen[0].suffix == ".lp"
    assert seen[0].name != "round.lp"


def test_an_existing_file_stays_without_force_and_is_replaced_with_it(tmp_path: Path) -> None:
    path = tmp_path / "plan.xlsx"
    path.write_text("old")
    path.chmod(0o640)
    with pytest.raises(WrongUse) as refused:
        write_whole(path, _hello, force=False)
    assert refused.value.code == "exists"
    assert path.read_text() == "old"
    write_whole(path, _hello, force=True)
    assert path.read_text() == "hello"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_new_file_has_the_mode_the_system_gives(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        write_whole(tmp_path / "plan.xlsx", _hello, force=False)
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "plan.xlsx").stat().st_mode) == 0o640


def test_a_file_that_appears_while_writing_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "plan.xlsx"

    def writer(temporary: Path) -> None:
        temporary.write_text("mine")
        path.write_text("somebody else's")

    with pytest.raises(WrongUse) as refused:
        write_whole(path, writer, force=False)
    assert refused.value.code == "exists"
    assert path.read_text() == "somebody else's"
    assert len(list(tmp_path.iterdir())) == 1


def test_without_hard_links_a_new_file_still_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise OSError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(os, "link", no_links)
    path = tmp_path / "plan.xlsx"
    write_whole(path, _hello, force=False)
    assert path.read_text() == "hello"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_writer_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "plan.xlsx"
    path.write_text("old")

    def writer(temporary: Path) -> None:
        temporary.write_text("half")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        write_whole(path, writer, force=True)
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_and_the_old_file_stays(tmp_path: Path, number: int) -> None:
    path = tmp_path / "plan.xlsx"
    path.write_text("old")

    def writer(temporary: Path) -> None:
        temporary.write_text("half")
        raise OSError(number, "full")

    with pytest.raises(WrongUse) as refused:
        write_whole(path, writer, force=True)
    assert refused.value.code == "disk_full"
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("force", [False, True])
def test_the_input_is_never_the_output(tmp_path: Path, force: bool) -> None:
    source = tmp_path / "round.xlsx"
    source.write_text("round")
    link = tmp_path / "link.xlsx"
    link.symlink_to(source)
    hard = tmp_path / "hard.xlsx"
    hard.hardlink_to(source)
    (tmp_path / "sub").mkdir()
    for output in (source, link, hard, tmp_path / "sub" / ".." / "round.xlsx"):
        with pytest.raises(WrongUse) as refused:
            write_whole(output, _hello, force=force, inputs=[source])
        assert refused.value.code == "is_input"
    with pytest.raises(WrongUse) as refused:
        write_whole(source, _hello, force=force, inputs=[link])
    assert refused.value.code == "is_input"
    assert source.read_text() == "round"


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    real = tmp_path / "there" / "plan.xlsx"
    link = tmp_path / "plan.xlsx"
    link.symlink_to(real)
    write_whole(link, _hello, force=False)
    assert link.is_symlink()
    assert real.read_text() == "hello"


def test_what_is_no_ordinary_file_is_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.xlsx"
    os.mkfifo(pipe)
    loop = tmp_path / "loop.xlsx"
    loop.symlink_to(loop)
    device = tmp_path / "device.xlsx"
    device.symlink_to("/dev/null")
    for output in (pipe, loop, device, tmp_path, Path("/dev/null")):
        with pytest.raises(WrongUse) as refused:
            write_whole(output, _hello, force=True)
        assert refused.value.code == "not_regular", output
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    for output in (tmp_path / "none" / "plan.xlsx", tmp_path / "file" / "plan.xlsx"):
        (tmp_path / "file").write_text("a file where a folder should be")
        with pytest.raises(WrongUse) as refused:
            refuse_output(output, force=False)
        assert refused.value.code in ("folder_missing", "not_writable")
        assert str(output.parent) in refused.value.message or str(output) in refused.value.message


def test_a_name_too_long_is_not_writable(tmp_path: Path) -> None:
    with pytest.raises(WrongUse) as refused:
        write_whole(tmp_path / ("x" * 300), _hello, force=False)
    assert refused.value.code == "not_writable"
    assert not list(tmp_path.iterdir())


def test_a_name_as_long_as_allowed_is_written(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 250 + ".xlsx")
    write_whole(path, _hello, force=False)
    assert path.read_text() == "hello"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_not_writable(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(WrongUse) as refused:
            refuse_output(tmp_path / "plan.xlsx", force=False)
    finally:
        tmp_path.chmod(0o700)
    assert refused.value.code == "not_writable"


def test_refusing_writes_nothing(tmp_path: Path) -> None:
    refuse_output(tmp_path / "plan.xlsx", force=False)
    assert not list(tmp_path.iterdir())


def test_a_limit_the_system_sets_is_met_without_a_trace(tmp_path: Path) -> None:
    """A real refusal of the system in the middle of a file, not one that is raised by hand."""
    program = textwrap.dedent(
        """
        import resource, sys
        from pathlib import Path
        from optalloc.errors import WrongUse
        from optalloc.workbook.files import write_whole

        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            write_whole(Path(sys.argv[1]), lambda path: path.write_bytes(bytes(5000)), force=False)
        except WrongUse as error:
            print(error.code)
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "plan.xlsx")], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "disk_full"
    assert not list(tmp_path.iterdir())
