"""Who demands a rule, by the words of it."""

from __future__ import annotations

import pytest

from optalloc.study.diagnosis.authority import rank_of


@pytest.mark.parametrize(
    ("text", "rank"),
    [
        (None, "blank"),
        ("  ", "blank"),
        ("the minister's wish", "named"),
        ("Science and Technology Progress Law, art. 9", "law"),
        ("ACT of 1998", "law"),
        ("Acts and codes", "law"),
        ("Regulation under the Budget Law", "law"),
        ("Regulations on special funds", "regulation"),
        ("Decree No. 3", "regulation"),
        ("Equalisation guideline, art. 2", "guideline"),
        ("Leading group, decision of 3 May", "guideline"),
        ("activity report; lawn; codex; planet", "named"),
        ("《中华人民共和国预算法》第三条", "law"),
        ("预算法实施条例", "regulation"),
        ("专项资金管理办法", "regulation"),
        ("国务院令第774号", "regulation"),
        ("领导小组会议纪要", "guideline"),
        ("关于教育经费的意见", "guideline"),
        ("统计方法", "named"),
        ("依法", "named"),
        ("财政部", "named"),
    ],
)
def test_ranks(text: str | None, rank: str) -> None:
    assert rank_of(text) == rank
