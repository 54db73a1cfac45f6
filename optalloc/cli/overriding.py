"""`--force` and `--forbid`: overrides, and the `--force` that stands alone and replaces files.

Every command replaces files with `--force`, so on those that take overrides the word does both: alone it replaces,
followed by a project it forces that one. What follows is taken for the round's workbook where the line names no other.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand

from optalloc.errors import WrongUse

if TYPE_CHECKING:
    from optalloc.cli.reading import Checked
    from optalloc.plan.overrides import Override

_FORCE = "--force"
#: The value of a `--force` without a project; no argument of a command can hold it.
_ALONE = "\0"


class OverridingCommand(TyperCommand):
    """A command whose `--force` may stand alone or take a value, which Typer's options cannot."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Give every `--force` that stands alone a value that says so, then read the arguments as ever."""
        valued = {
            name
            for param in self.params
            if param.param_type_name == "option" and not getattr(param, "is_flag", False)
            for name in param.opts
        }
        return super().parse_args(ctx, with_force_alone(args, valued - {_FORCE}))


def with_force_alone(args: Sequence[str], valued: Container[str]) -> list[str]:
    """Return arguments in which each `--force` has its value in the same word; `valued` are options that take one."""
    found: list[str] = []
    followed: list[int] = []  # places in `found` of a word that follows a --force
    names_workbook = False
    words = list(args)
    while words:
        word = words.pop(0)
        if word == "--":
            names_workbook = names_workbook or any(map(_is_workbook, words))
            found += [word, *words]
            break
        if word == _FORCE:
            found.append(f"{_FORCE}={_ALONE}")
            if words and (not words[0] or not words[0].startswith("-")):
                followed.append(len(found))
                found.append(words.pop(0))
            continue
        found.append(word)
        if word in valued and words:
            found.append(words.pop(0))
        elif not word.startswith("-"):
            names_workbook = names_workbook or _is_workbook(word)
    if not names_workbook:
        workbook = next((at for at in followed if _is_workbook(found[at])), None)
        followed = [at for at in followed if at != workbook]
    for at in reversed(followed):
        found[at - 1 : at + 1] = [f"{_FORCE}={found[at]}"]
    return found


def _is_workbook(word: str) -> bool:
    return Path(word).suffix.lower() in (".xlsx", ".xlsm") or Path(word).is_file()


def asked_overrides(
    force: Sequence[str], forbid: Sequence[str], by: str | None, reason: str | None
) -> tuple[bool, tuple[Override, ...]]:
    """Return whether files may be replaced, and the overrides that are asked for, each once.

    Raises:
        WrongUse: `no_project`, `by_and_reason` (who or why is missing), `no_override` (there is nothing to be decided).
    """
    from optalloc.plan.overrides import Override

    forced = [project for value in force if value != _ALONE for project in _projects(_FORCE, value)]
    forbidden = [project for value in forbid for project in _projects("--forbid", value)]
    by, reason = (by or "").strip(), (reason or "").strip()
    if not forced and not forbidden and (by or reason):
        raise WrongUse("no_override", "--by and --reason go with --force PROJECT or --forbid PROJECT; none is given.")
    if (forced or forbidden) and not (by and reason):
        missing = " and ".join(name for name, text in (("--by", by), ("--reason", reason)) if not text)
        raise WrongUse(
            "by_and_reason",
            f"An override goes on record with who decided it and why: add {missing}. "
            f"It is asked for {', '.join([*forced, *forbidden])}; to replace files, let --force stand alone.",
        )
    return _ALONE in force, (
        *(Override(project, "force", by, reason) for project in dict.fromkeys(forced)),
        *(Override(project, "forbid", by, reason) for project in dict.fromkeys(forbidden)),
    )


def checked_again(checked: Checked, overrides: Sequence[Override]) -> Checked:
    """Return a round with its overrides, and what is wrong with it then: they may contradict links or lack money."""
    if not overrides or checked.round is None:
        return checked
    from integrated_fund.checks import check
    from optalloc.plan.overrides import overridden

    round_ = overridden(checked.round, overrides)
    return replace(checked, round=round_, problems=tuple(check(round_)))


def _projects(option: str, value: str) -> list[str]:
    """Return the projects of one value, such as "P07;P09"."""
    projects = [part.strip() for part in value.split(";") if part.strip()]
    if not projects:
        raise WrongUse("no_project", f"{option} names no project: {value!r}.")
    return projects
