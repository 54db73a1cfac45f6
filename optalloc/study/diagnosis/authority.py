"""How hard a rule or a source is to change, by who demands it: a law bends last.

`authority` is free text on Rules and Sources. The words for a kind of document rank it, and each rank has a weight
that the money of a change is multiplied by:

    rank         weight   words
    blank             1   nothing is said: the planner's own wish
    named             2   some other text: a person, a meeting, a department
    guideline         5   decision, resolution, guideline, opinion, notice, circular, plan, policy, agreement, programme
                          决定 决议 意见 通知 指南 指导 规划 计划 纲要 方案 纪要 协议
    regulation       20   regulation, decree, ordinance, order, rules, bylaw, statutory instrument
                          条例 规定 规章 办法 细则 法规 令
    law           1,000   law, act, constitution, statute, code, treaty
                          宪法 法律 法典 法 条约

English words count as whole words, singular or plural, and the weightiest wins ("Regulation under the Budget Law" is
law: when in doubt it bends later). A Chinese title ends with its kind, so the last word wins (《预算法实施条例》 is a
regulation, 《预算法》第三条 is law); 办法, 方法 and the like are no 法.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Rank = Literal["blank", "named", "guideline", "regulation", "law"]

WEIGHTS: Mapping[Rank, int] = MappingProxyType({"blank": 1, "named": 2, "guideline": 5, "regulation": 20, "law": 1000})

_ENGLISH: Mapping[str, Rank] = MappingProxyType(
    {
        **dict.fromkeys(("law", "act", "constitution", "statute", "code", "treaty", "treatie"), "law"),
        **dict.fromkeys(
            ("regulation", "decree", "ordinance", "order", "rule", "bylaw", "by-law", "statutory instrument"),
            "regulation",
        ),
        **dict.fromkeys(
            (
                "decision", "resolution", "guideline", "guidance", "opinion", "notice", "circular", "plan", "policy",
                "policie", "agreement", "programme", "program",
            ),
            "guideline",
        ),
    }
)  # fmt: skip
_CHINESE: Mapping[str, Rank] = MappingProxyType(
    {
        **dict.fromkeys(("条例", "规定", "规章", "办法", "细则", "法规", "令"), "regulation"),
        **dict.fromkeys(
            (
                "决定", "决议", "意见", "通知", "指南", "指导", "规划", "计划", "纲要", "方案", "纪要", "协议",
            ),
            "guideline",
        ),
        **dict.fromkeys(("宪法", "法律", "法典", "条约", "法"), "law"),
    }
)  # fmt: skip
#: Words with 法 in them that are none: ways and means, those who apply the law.
_NO_LAW = re.compile("方法|做法|想法|看法|语法|合法|依法|执法|司法|立法")
_ENGLISH_WORD = re.compile(rf"(?<![a-z-])({'|'.join(sorted(_ENGLISH, key=len, reverse=True))})e?s?(?![a-z-])")
_CHINESE_WORD = re.compile("|".join(sorted(_CHINESE, key=len, reverse=True)))


def rank_of(authority: str | None) -> Rank:
    """Return the rank of an authority, by the words in it."""
    text = (authority or "").strip().lower()
    if not text:
        return "blank"
    ranks = [_ENGLISH[word] for word in _ENGLISH_WORD.findall(text)]
    chinese = _CHINESE_WORD.findall(_NO_LAW.sub("", text))
    ranks += [_CHINESE[word] for word in chinese[-1:]]
    return max(ranks, key=WEIGHTS.__getitem__, default="named")
