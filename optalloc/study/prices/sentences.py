"""A plain sentence on each row of the price report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from integrated_fund.round import Round
from optalloc.plan.price_report import Change, Price, PriceLine, PriceReport, size_of
from optalloc.study.prices.levers import ALL, SHARES


def with_sentences(round_: Round, report: PriceReport) -> PriceReport:
    """Return the report with a sentence on each line."""
    sentences = Sentences(round_, report)
    return replace(report, lines=tuple(replace(line, sentence=sentences.of(line)) for line in report.lines))


class Sentences:
    """Writes the sentences of one report."""

    def __init__(self, round_: Round, report: PriceReport) -> None:
        self._round, self._report = round_, report
        self._rules = {rule.rule: rule for rule in round_.rules}
        self._region: Mapping[str, str] = {project.project: project.regions[0][0] for project in round_.projects}
        self._pool = size_of(report.pool)

    def of(self, line: PriceLine) -> str:
        """Return what a line says in words."""
        texts = [self._moved(line, change) for change in (line.change_more, line.change_less) if change is not None]
        told = [text for text in texts if text]
        if told:
            return " ".join(told)
        return self._margin(line)

    def _margin(self, line: PriceLine) -> str:
        """Return the price at the margin in words, for lines that no step was tried of."""
        if line.sense is None:
            return "No limit: it adds to the benefit when all its projects are accepted."
        gain = max(size_of(line.price_more), -size_of(line.price_less))
        if line.price_more is None:
            return "It has no price of one unit; dropping it is the step to try."
        if gain <= 0:
            return "It costs nothing: the plan would be no better without it."
        way = "more" if size_of(line.price_more) > 0 else "less"
        return f"One unit {way} of {self._name(line)} is worth {_points(gain)}{self._as_pool(gain)} at the margin."

    def _moved(self, line: PriceLine, change: Change) -> str:
        what = self._what(line, change)
        if change.found == "-inf":
            return f"{what}: no plan is left."
        if change.found is None:
            return f"{what}: no plan was found, none is ruled out."
        found = float(change.found)
        sure = _proven(change)
        if not found:
            return f"{what} changes nothing{' that was found' if sure else ''}{sure}."
        effect = "gains" if found > 0 else "costs"
        text = f"{what} {effect} {_points(abs(found))}{sure}{self._as_money(found)}"
        who = "; ".join(
            part
            for part in (self._who(change.enters, "enters", "enter"), self._who(change.leaves, "leaves", "leave"))
            if part
        )
        return f"{text}; {who}." if who else f"{text}."

    def _what(self, line: PriceLine, change: Change) -> str:
        """Return which cell is moved from what to what."""
        if line.kind == "link":
            if line.sense is not None and line.typed in (None, Decimal(0)):
                return f"Dropping {line.rule}"
            assert line.typed is not None
            return f"Letting {line.rule} go from {line.typed} to {line.typed + change.step}"
        name = self._name(line)
        assert line.typed is not None
        verb = "Raising" if change.step > 0 else "Lowering"
        rule = self._rules.get(line.rule) if line.kind == "rule" else None
        share = rule is not None and rule.of in SHARES
        before, after = line.typed, line.typed + change.step
        texts = (_percent(before), _percent(after)) if share else (_plain(before), _plain(after))
        everybody = " for all members" if line.member == ALL else ""
        return f"{verb} {name}{everybody} from {texts[0]} to {texts[1]}"

    def _name(self, line: PriceLine) -> str:
        return line.rule if line.member in (None, ALL) else f"{line.rule} of {line.member}"

    def _as_money(self, found: float) -> str:
        if self._pool <= 0 or self._pool == float("inf"):
            return ""
        return f", the same as {self._money(found)} {'more' if found > 0 else 'less'} in the pool"

    def _money(self, benefit: float) -> str:
        """Return what benefit is worth at the pool's price, in the round's unit."""
        unit = self._round.unit
        return f"{_significant(abs(benefit) / self._pool)} {'× ' if unit[:1].isdigit() else ''}{unit}"

    def _as_pool(self, gain: float) -> str:
        if self._pool <= 0 or self._pool == float("inf"):
            return ""
        return f", the same as {self._money(gain)} more in the pool,"

    def _who(self, projects: tuple[str, ...], one: str, many: str) -> str:
        """Return who enters or leaves: names where few, else how many by region."""
        if not projects:
            return ""
        if len(projects) <= 2:
            named = " and ".join(f"{project} ({self._region[project]})" for project in projects)
            return f"{named} {one if len(projects) == 1 else many}"
        regions = Counter(self._region[project] for project in projects).most_common()
        shown = ", ".join(f"{count} in {region}" for region, count in regions[:3])
        rest = sum(count for _, count in regions[3:])
        return f"{len(projects)} projects {many} ({shown}{f', {rest} elsewhere' if rest else ''})"


def _points(value: float) -> str:
    return f"{_significant(value)} points of benefit"


def _significant(value: float) -> str:
    """Return a number with four significant digits, thousands apart."""
    text = f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"
    return text if "e" not in text else f"{value:.10f}".rstrip("0")


def _proven(change: Change) -> str:
    """Return the interval that is proven, as what is gained or lost; nothing where it is a point."""
    if change.low == change.high == change.found:
        return ""
    if isinstance(change.low, Decimal) and isinstance(change.high, Decimal):
        if change.low >= 0:
            return f" (proven: a gain of {_between(change.low, change.high)})"
        if change.high <= 0:
            return f" (proven: a loss of {_between(-change.high, -change.low)})"
        loss, gain = _significant(-float(change.low)), _significant(float(change.high))
        return f" (proven: between a loss of {loss} and a gain of {gain})"
    return f" (proven: {_end(change.low, 'a loss')} to {_end(change.high, 'a gain')})"


def _between(least: Decimal, most: Decimal) -> str:
    top = _significant(float(most))
    return f"{_significant(float(least))} to {top}" if least else f"at most {top}"


def _end(value: Price, what: str) -> str:
    return f"{what} of any size" if not isinstance(value, Decimal) else f"{_significant(float(value))}"


def _plain(value: Decimal) -> str:
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _percent(value: Decimal) -> str:
    return f"{(value * 100).normalize():f} %"
