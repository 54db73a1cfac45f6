"""Wordings of what the checks find in a round."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from integrated_fund.wording import Wording, error, warning

_REFERENCES: Mapping[str, Wording] = {
    "unknown_sector": error(
        "a sector of the sheet Sectors",
        "There is no such sector. Nearest: {nearest}. Correct the name, or add the sector to Sectors.",
        "「领域」表中的领域",
        "没有这个领域。最接近的是：{nearest}。请改正名称，或在「领域」表中添加。",
    ),
    "unknown_region": error(
        "a region of the sheet Regions",
        "There is no such region. Nearest: {nearest}. Correct the name, or add the region to Regions.",
        "「地区」表中的地区",
        "没有这个地区。最接近的是：{nearest}。请改正名称，或在「地区」表中添加。",
    ),
    "unknown_belt": error(
        "a belt that a row of Regions has",
        "No region lies in a belt of this name. Nearest: {nearest}.",
        "「地区」表中出现的地带",
        "没有地区属于这个地带。最接近的是：{nearest}。",
    ),
    "unknown_category": error(
        "a category that a project has",
        "No project is of this category, so the filter would select nothing. Nearest: {nearest}.",
        "某个项目的类别",
        "没有项目属于这个类别，筛选不到任何内容。最接近的是：{nearest}。",
    ),
    "unknown_institution": error(
        "an institution that a project has",
        "No project belongs to this institution, so the filter would select nothing. Nearest: {nearest}.",
        "某个项目的单位",
        "没有项目属于这个单位，筛选不到任何内容。最接近的是：{nearest}。",
    ),
    "unknown_tag": error(
        "a tag that a project has",
        "No project has this tag, so the filter would select nothing. Nearest: {nearest}.",
        "某个项目的标签",
        "没有项目带有这个标签，筛选不到任何内容。最接近的是：{nearest}。",
    ),
    "unknown_project": error(
        "a project of the sheet Projects",
        "There is no such project. Nearest: {nearest}.",
        "「项目」表中的项目",
        "没有这个项目。最接近的是：{nearest}。",
    ),
    "unknown_criterion": error(
        "a criterion of the sheet Criteria",
        "There is no such criterion. Nearest: {nearest}.",
        "「评价指标」表中的指标",
        "没有这个指标。最接近的是：{nearest}。",
    ),
    "unknown_measure": error(
        "award, accepted, cofunding, or a numeric column of Projects",
        "Projects has no numeric column of this name. Nearest: {nearest}. "
        "A criterion without a measure counts the column of its own name.",
        "拨款、立项数、配套资金，或「项目」表中的数值列",
        "「项目」表中没有这个数值列。最接近的是：{nearest}。指标未填计量时，取与指标同名的列。",
    ),
    "unknown_attribute": error(
        "a numeric column of Regions",
        "Regions has no numeric column of this name. Nearest: {nearest}.",
        "「地区」表中的数值列",
        "「地区」表中没有这个数值列。最接近的是：{nearest}。",
    ),
    "unknown_of": error(
        "blank, total, funds, average, or a numeric column of Regions",
        "This is neither total, funds or average nor a numeric column of Regions. Nearest: {nearest}.",
        "留空、总额、资金总额、平均，或「地区」表中的数值列",
        "既不是总额、资金总额、平均，也不是「地区」表中的数值列。最接近的是：{nearest}。",
    ),
    "measure_name_taken": error(
        "another name for the column",
        "Every project has the measure {name} already, so no column of Projects can be called that. Rename the column.",
        "换一个列名",
        "每个项目本来就有计量 {name}，「项目」表的列不能用这个名称。请给该列改名。",
    ),
    "attribute_name_taken": error(
        "another name for the column",
        "In the column `of`, {name} has a meaning of its own, so no column of Regions can be called that. Rename it.",
        "换一个列名",
        "{name} 在「相对于」一列中另有含义，「地区」表的列不能用这个名称。请给该列改名。",
    ),
    "region_repeated": error(
        "each region once",
        "The region stands in this cell twice. Add its shares up into one.",
        "每个地区只出现一次",
        "该地区在此单元格中出现两次。请把两个比例合并。",
    ),
    "filter_selects_nothing": error(
        "a filter that lets something pass",
        "Nothing that exists passes this filter. Take values out, or leave the cell blank for any.",
        "能选中内容的筛选",
        "现有的内容都通不过这个筛选。请删去一些值；留空表示不限。",
    ),
    "filter_regions_contradict": error(
        "belts that some of the selected regions lie in",
        "None of the regions that this row selects lies in one of these belts. Leave one of the two cells blank.",
        "所选地区所在的地带",
        "本行所选的地区都不在这些地带。请把两个单元格之一留空。",
    ),
}

_AWARDS: Mapping[str, Wording] = {
    "source_without_year": error(
        "a year within {years}",
        "The round has several years, so each row of Sources needs its year.",
        "{years} 中的一年",
        "本轮次有多个年度，每行资金来源都要填年度。",
    ),
    "source_repeated": error(
        "one row for a source in a year",
        "This source stands in {first} for the same year. Add the amounts up into one row, or rename one of them.",
        "每个来源每年一行",
        "该来源同一年度已在 {first} 出现。请把金额合并为一行，或换一个名称。",
    ),
    "year_outside": error(
        "a year of the round ({years})",
        "The round does not have this year. Correct it, or change first_year and years on the sheet Round.",
        "本轮次的年度（{years}）",
        "本轮次没有这一年度。请改正，或修改「轮次」表中的起始年度和年数。",
    ),
    "min_over_max": error(
        "at most the max_award, {max_award}",
        "The least award is above the greatest. Exchange the two, or leave min_award blank for all or nothing.",
        "不超过最高资助 {max_award}",
        "最低资助高于最高资助。请互换，或将最低资助留空，表示要么全额要么不资助。",
    ),
    "option_repeated": error(
        "each option of a project once",
        "The project has an option of this name in {first} already. Rename or remove one.",
        "同一项目的档次不重名",
        "该项目在 {first} 已有同名档次。请改名或删去一行。",
    ),
    "option_from_zero": error(
        "blank (all or nothing) or an amount above 0",
        "An option is accepted or not, so its least award cannot be 0. "
        "Only a project without options can be a block grant.",
        "留空（要么全额要么不资助）或大于 0 的金额",
        "档次要么立项要么不立项，最低资助不能为 0。只有不设档次的项目才能任意资助。",
    ),
    "block_grant_option": error(
        "a project with a min_award above 0 or blank",
        "This project is a block grant (min_award 0): nothing is accepted, so it has one option only. "
        "Remove this row, or give the project a min_award.",
        "最低资助大于 0 或留空的项目",
        "该项目可资助任意金额（最低资助为 0），不存在立项，只能有一个档次。请删去本行，或填写该项目的最低资助。",
    ),
    "block_grant_starts": error(
        "blank, or the year in start_from",
        "This project is a block grant (min_award 0): nothing is accepted, so it has one start only. "
        "Enter a block grant a year as projects of their own.",
        "留空，或与最早开始相同",
        "该项目可资助任意金额（最低资助为 0），不存在立项，只能有一个开始年度。如需每年资助，请分别列为项目。",
    ),
    "block_grant_mandatory": error(
        "candidate or excluded",
        "This project is a block grant (min_award 0): nothing is accepted, so it cannot be mandatory. "
        "Give it a min_award, or bound it from below with a rule.",
        "候选或排除",
        "该项目可资助任意金额（最低资助为 0），不存在立项，不能必选。请填写最低资助，或用规则规定下限。",
    ),
    "block_grant_linked": error(
        "projects with a min_award above 0 or blank",
        "This project is a block grant (min_award 0): nothing is accepted, so no link can speak of it.",
        "最低资助大于 0 或留空的项目",
        "该项目可资助任意金额（最低资助为 0），不存在立项，不能加入关联。",
    ),
    "block_grant_empty": error(
        "an amount above 0",
        "A block grant of at most 0 can never get anything. Enter its greatest award, or remove the row.",
        "大于 0 的金额",
        "最高资助为 0 的项目什么也得不到。请填写最高资助，或删去本行。",
    ),
    "start_order": error(
        "start_from ({start_from}) or a later year",
        "The last start lies before the first. Exchange the two years.",
        "不早于最早开始（{start_from}）",
        "最晚开始早于最早开始。请互换两个年度。",
    ),
    "no_start_left": error(
        "a start whose profile ends within the round",
        "The profile takes {length} years and the round has {years}: the project ends in time from none of its starts. "
        "Shorten the profile, start earlier, or add years to the round.",
        "能在本轮次内完成的开始年度",
        "年度分布共 {length} 年，本轮次共 {years} 年，任何可选的开始年度都无法按时结束。"
        "请缩短年度分布、提前开始或增加年数。",
    ),
    "start_cut": warning(
        "{latest} or earlier",
        "Started after {latest}, the project would run past the last year ({years}); those starts are not offered.",
        "{latest} 或更早",
        "若在 {latest} 之后开始，项目将超出最后年度（{years}），这些开始年度不予考虑。",
    ),
    "part_too_long": error(
        "shares that leave parts of at most 15 digits",
        "With awards in steps of {step}, these shares cut an award into parts of more than 15 digits, and a worksheet "
        "carries no more. Round the shares, or take a coarser step.",
        "使各部分不超过 15 位数字的比例",
        "按步长 {step}，这些比例会产生超过 15 位数字的部分，工作表无法精确保存。请对比例取整，或加大最小单位。",
    ),
}

_MEASURES: Mapping[str, Wording] = {
    "measure_needed": error(
        "a number (0 where there is none)",
        "The criterion {criterion} counts the column {measure}, and this project has no number there. Enter it, or 0.",
        "一个数（没有则填 0）",
        "指标 {criterion} 要计入 {measure} 一列，而本项目未填。请填写数值，没有则填 0。",
    ),
    "measure_blank": warning(
        "a number",
        "{count} projects have no {measure}, this one first; they count 0. Enter 0 where that is meant.",
        "一个数",
        "有 {count} 个项目未填 {measure}（此为第一个），按 0 计。若确为 0，请填 0。",
    ),
    "option_measure_unknown": warning(
        "a numeric column that Projects has too",
        "Projects has no column {measure}, so this column of Options counts nowhere. "
        "Add it to Projects, or correct the heading.",
        "「项目」表也有的数值列",
        "「项目」表没有 {measure} 一列，因此「资助档次」表的这一列不起作用。请在「项目」表中添加，或改正列名。",
    ),
}

_RULES: Mapping[str, Wording] = {
    "basis_contradicts": error(
        "blank",
        "award and cofunding always count in proportion to the award, accepted by acceptance. Leave the cell blank.",
        "留空",
        "拨款和配套资金只能按拨款计入，立项数只能按立项计入。请将此单元格留空。",
    ),
    "average_without_per": error(
        "a numeric column of Regions, such as population",
        "`average` compares figures per head: `per` says which heads to count.",
        "「地区」表中的数值列，如人口",
        "「平均」比较的是人均值，须在「人均基数」中填写按什么平均。",
    ),
    "bound_not_a_share": error(
        "a share from 0 to 1, such as 0.45 or 45 %",
        "With `of` = total the bound is a share: type 0.45 or 45 %, not 45.",
        "0到1的比例，例如0.45或45 %",
        "「相对于」为总额时，界限为比例：请填0.45或45 %，而不是45。",
    ),
    "per_with_of": error(
        "blank or average",
        "With `per`, the bound is per head, and `of` can only be blank or average. "
        "Leave `of` blank for an amount per head, or `per` blank for a share.",
        "留空或平均",
        "填写了人均基数时，界限是人均值，「相对于」只能留空或填平均。如要人均金额，请将「相对于」留空；如要比例，请将「人均基数」留空。",
    ),
    "within_without_share": error(
        "blank",
        "`within` narrows what a share is of, and this rule is no share: `of` is not total, funds or average.",
        "留空",
        "「基数范围」用于限定比例的基数，而本规则不是比例：「相对于」不是总额、资金总额或平均。",
    ),
    "within_not_filled": error(
        "filter columns that this row fills in, or the dimension in `each`",
        "This row has no filter in that column, so it cannot narrow the base. "
        "Fill the filter in, or take it out of `within`.",
        "本行已填写的筛选列，或「分组」所取的维度",
        "本行在该列没有筛选，无法限定基数。请填写筛选，或从「基数范围」中删去。",
    ),
    "each_year_without_years": error(
        "another dimension, or a first_year on the sheet Round",
        "The round names no years. Enter first_year on the sheet Round, or leave `each` blank.",
        "其他维度，或在「轮次」表填写起始年度",
        "本轮次没有年度。请在「轮次」表填写起始年度，或将「分组」留空。",
    ),
    "attribute_blank": error(
        "a number",
        "The rule {rule} needs {attribute} of this region. Enter it.",
        "一个数",
        "规则 {rule} 需要该地区的 {attribute}。请填写。",
    ),
    "attribute_not_positive": error(
        "a number above 0",
        "The rule {rule} counts by {attribute}, and this region has none to count by. "
        "Correct it, or leave the region out of the rule.",
        "大于 0 的数",
        "规则 {rule} 以 {attribute} 为基数，而该地区的数值无法作基数。请改正，或在规则中排除该地区。",
    ),
    "rule_without_members": warning(
        "a dimension that projects have a value of",
        "No project has a value of this dimension, so the rule has no members and limits nothing.",
        "项目填有数值的维度",
        "没有项目填写这一维度，规则没有分组，不起作用。",
    ),
}

_LINKS: Mapping[str, Wording] = {
    "link_too_few": error(
        "two projects or more",
        "A link joins at least two projects.",
        "两个或以上的项目",
        "一个关联至少包含两个项目。",
    ),
    "link_project_repeated": error(
        "each project once",
        "The project stands in this link twice. Remove one.",
        "每个项目只出现一次",
        "该项目在此关联中出现两次。请删去一个。",
    ),
    "link_k_missing": error(
        "a whole number from {least} to {most}",
        "A link of this kind says how many of its projects. Enter the number.",
        "{least} 到 {most} 的整数",
        "这一类型须填写个数。",
    ),
    "link_k_outside": error(
        "a whole number from {least} to {most}",
        "The link has {most} projects, so the number must lie between {least} and {most}.",
        "{least} 到 {most} 的整数",
        "该关联有 {most} 个项目，个数须在 {least} 与 {most} 之间。",
    ),
    "link_k_unused": error(
        "blank",
        "Only at_least and at_most have a number. Clear the cell, or correct the kind.",
        "留空",
        "只有至少（at_least）和至多（at_most）填写个数。请清空，或改正类型。",
    ),
    "synergy_without_criterion": error(
        "the criterion that the synergy adds to",
        "A synergy adds its value to a criterion when all its projects are accepted. Enter the criterion.",
        "协同所增加的指标",
        "协同在全部项目立项时给某个指标加上一个值。请填写指标。",
    ),
    "synergy_without_value": error(
        "the value that the synergy adds",
        "A synergy adds its value to a criterion when all its projects are accepted. Enter the value.",
        "协同所增加的值",
        "协同在全部项目立项时给某个指标加上一个值。请填写值。",
    ),
    "criterion_without_synergy": error(
        "blank",
        "Only a synergy has a criterion. Clear the cell, or correct the kind.",
        "留空",
        "只有协同填写指标。请清空，或改正类型。",
    ),
    "value_without_synergy": error(
        "blank",
        "Only a synergy has a value. Clear the cell, or correct the kind.",
        "留空",
        "只有协同填写值。请清空，或改正类型。",
    ),
    "links_contradict": error(
        "a link that can be kept",
        "With what is mandatory and excluded, and the other links, no plan can keep this link (decided already: "
        "{projects}). Change a status, or take a project out of a link.",
        "能够满足的关联",
        "在必选、排除和其他关联之下，没有方案能满足这个关联（已经确定的有：{projects}）。请修改状态，或从关联中删去项目。",
    ),
    "never_accepted": warning(
        "links under which each candidate can be accepted",
        "The project {project} can never be accepted: that would break the link {link}, "
        "or what is mandatory and excluded forbids it.",
        "使每个候选项目都可能立项的关联",
        "项目 {project} 不可能立项：否则将违反关联 {link}，或与必选、排除相冲突。",
    ),
}

_SUSPICIONS: Mapping[str, Wording] = {
    "unit_slip": warning(
        "an award in {unit}, like the others (median {median})",
        "This award is over a thousand times the median of the projects, or under a thousandth of it. "
        "Is it in the round's unit, {unit}?",
        "与其他项目一样以{unit}计的金额（中位数 {median}）",
        "该金额超过各项目中位数的一千倍，或不足其千分之一。单位是否为{unit}？",
    ),
    "projects_alike": warning(
        "each project once",
        "Project {other} ({first}) has the same title, institution and award. Is this one entered twice?",
        "每个项目一行",
        "项目 {other}（{first}）的名称、单位和金额都相同。是否重复填写？",
    ),
}

_REACH: Mapping[str, Wording] = {
    "filter_without_lines": warning(
        "filters that some project passes",
        "No project that may be funded passes the filters of this row, so its activity is always 0.",
        "有项目能通过的筛选",
        "没有可资助的项目能通过本行的筛选，其数值恒为 0。",
    ),
    "source_unused": warning(
        "a source that some project may use",
        "Nothing may use this money ({amount}): no project passes the filters of this row in its year. "
        "If a share of it must be spent, there is no plan.",
        "有项目可以使用的资金来源",
        "这笔资金（{amount}）无处可用：没有项目在该年度通过本行的筛选。若规定了最低支出比例，则不存在方案。",
    ),
    "project_unpayable": warning(
        "a project that sources can pay for",
        "This project can never be funded: its part in {where} comes to {needed}, "
        "and the sources that may pay for that have {available}.",
        "资金来源能够支付的项目",
        "该项目无法得到资助：其在 {where} 的部分为 {needed}，而可支付的资金来源只有 {available}。",
    ),
    "mandatory_unpayable": warning(
        "a mandatory project that sources can pay for",
        "This project is mandatory and cannot be paid for, so there is no plan: its part in {where} comes to {needed}, "
        "and the sources that may pay for that have {available}.",
        "资金来源能够支付的必选项目",
        "该项目必选而无法支付，因此不存在方案：其在 {where} 的部分为 {needed}，而可支付的资金来源只有 {available}。",
    ),
    "rule_unmeetable_below": warning(
        "a bound that can be reached",
        "No plan can meet {label}: with everything that helps funded it comes to {reached}, and {needed} is needed.",
        "能够达到的界限",
        "没有方案能满足 {label}：即使资助所有有利的项目，也只有 {reached}，而需要 {needed}。",
    ),
    "rule_unmeetable_money": warning(
        "a bound that the sources can pay for",
        "No plan can meet {label}: the sources that may pay for it have {reached}, and {needed} is needed.",
        "资金来源能够支付的界限",
        "没有方案能满足 {label}：可支付的资金来源只有 {reached}，而需要 {needed}。",
    ),
    "rule_unmeetable_above": warning(
        "a bound that can be kept",
        "No plan can meet {label}: what is mandatory brings it to {reached}, and {needed} is allowed.",
        "能够遵守的界限",
        "没有方案能满足 {label}：仅必选项目就使其达到 {reached}，而最多允许 {needed}。",
    ),
    "rule_never_binds": warning(
        "a bound that some plan would break",
        "Every plan keeps this rule, so it changes nothing: at worst {label} comes to {reached}, against {needed}.",
        "有方案会违反的界限",
        "任何方案都满足这条规则，它不起作用：最不利时 {label} 为 {reached}，界限为 {needed}。",
    ),
}

#: Every wording of the checks by code.
CHECKS: Mapping[str, Wording] = MappingProxyType(
    {**_REFERENCES, **_AWARDS, **_MEASURES, **_RULES, **_LINKS, **_SUSPICIONS, **_REACH}
)
