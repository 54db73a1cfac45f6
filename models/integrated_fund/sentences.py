"""Rules in words, in either language: what a reader of the plan and of the model sees beside every row."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from integrated_fund.round import DIMENSIONS, Dimension, Filter, Rule

Language = Literal["en", "zh"]

_MEASURE = {
    "en": {"award": "awards", "accepted": "accepted projects", "cofunding": "co-funding"},
    "zh": {"award": "拨款", "accepted": "立项数", "cofunding": "配套资金"},
}
_SENSE = {
    "en": {">=": "at least", "<=": "at most", "=": "exactly"},
    "zh": {">=": "不低于", "<=": "不高于", "=": "等于"},
}
#: The dimensions in Chinese.
DIMENSION_ZH: Mapping[Dimension, str] = {
    "sector": "领域",
    "category": "类别",
    "region": "地区",
    "belt": "地带",
    "institution": "单位",
    "tag": "标签",
    "year": "年度",
}
_DIMENSION: Mapping[str, Mapping[Dimension, str]] = {
    "en": {dimension: dimension for dimension in DIMENSIONS},
    "zh": DIMENSION_ZH,
}


def sentence_of(rule: Rule, member: str | None = None, language: Language = "en", unit: str = "") -> str:
    """Return a rule's row as a sentence.

    For example "award for region gansu (belt west): at least 60 % of the average per population". `unit` is written
    behind absolute bounds on money.
    """
    subject = _MEASURE[language].get(rule.measure, rule.measure)
    scope = _scope(rule, member, language)
    money = unit if rule.measure in ("award", "cofunding") and unit else ""
    bound = _bound(rule, language, money)
    soft = ""
    if rule.penalty is not None:
        soft = {
            "en": f" (soft: {rule.penalty} points off for each unit missed)",
            "zh": f"（软约束：每缺一单位扣{rule.penalty}分）",
        }[language]
    if language == "zh":
        return f"{scope}{subject}{_SENSE['zh'][rule.sense]}{bound}{soft}"
    return f"{subject}{scope}: {_SENSE['en'][rule.sense]} {bound}{soft}"


def filter_in_words(filter_: Filter, language: Language = "en") -> str:
    """Return what a filter lets pass ("sector education or talent; belt not east"), empty for everything."""
    parts = []
    joiner, negation = (" or ", "not ") if language == "en" else ("、", "非")
    for dimension in DIMENSIONS:
        selection = filter_.by.get(dimension)
        if selection is None:
            continue
        name = _DIMENSION[language][dimension]
        words = joiner.join(sorted(selection.include))
        without = joiner.join(sorted(selection.exclude))
        text = " ".join(part for part in (words, f"{negation}{without}" if without else "") if part)
        parts.append(f"{name} {text}" if language == "en" else f"{name}{text}")
    return ("; " if language == "en" else "；").join(parts)


def _scope(rule: Rule, member: str | None, language: Language) -> str:
    inner = filter_in_words(rule.filter, language)
    if rule.each is None:
        if language == "zh":
            return f"（{inner}）" if inner else ""
        return f" ({inner})" if inner else ""
    name = _DIMENSION[language][rule.each]
    if language == "zh":
        who = f"{name}{member}" if member is not None else f"每个{name}"
        return f"{who}（{inner}）" if inner else who
    who = f" for {name} {member}" if member is not None else f" for each {name}"
    return f"{who} ({inner})" if inner else who


def _percent(value: Decimal) -> str:
    return f"{(value * 100).normalize():f} %"


def _bound(rule: Rule, language: Language, money: str) -> str:
    plain = f"{rule.bound.normalize():f}"
    within = ""
    if rule.within:
        names = [_DIMENSION[language][dimension] for dimension in rule.within]
        within = f" within the same {' and '.join(names)}" if language == "en" else f"（同一{'、'.join(names)}内）"
    if language == "zh":
        texts = {
            "total": f"总额的{_percent(rule.bound)}",
            "funds": f"资金总额的{_percent(rule.bound)}",
            "average": f"全国人均（{rule.per}）的{_percent(rule.bound)}",
        }
        if rule.of is None:
            per = f"每单位{rule.per}" if rule.per else ""
            return f"{per}{plain}{money}"
        return texts.get(rule.of, f"{rule.of}的{plain}倍") + within
    texts = {
        "total": f"{_percent(rule.bound)} of the total",
        "funds": f"{_percent(rule.bound)} of the funds",
        "average": f"{_percent(rule.bound)} of the average per {rule.per}",
    }
    if rule.of is None:
        return f"{plain}{' ' + money if money else ''}{' per ' + rule.per if rule.per else ''}"
    return texts.get(rule.of, f"{plain} × {rule.of}") + within
