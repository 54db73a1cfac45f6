"""The words of the plan workbook in both languages: headings, labels and sentences, one table.

The sheets and the first seven headings of Awards keep their English names. The reader takes a heading or label in
either language.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from types import MappingProxyType
from typing import Literal

from integrated_fund.problem import Language
from optalloc.plan.overrides import Cost
from optalloc.plan.plan import Plan
from optalloc.workbook.names import fold

PlanSheet = Literal[
    "Summary",
    "Overrides",
    "Awards",
    "Rules",
    "Regions",
    "Sectors",
    "Sources",
    "Declined",
    "Manifest",
    "Prices",
    "Curves",
    "Verdicts",
]

#: The seven columns every program may rely on, headed so in either language; further ones stand behind them.
AWARD_COLUMNS = ("project", "option", "start", "region", "year", "source", "amount")

#: Headings and labels: English, Chinese.
WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        # columns
        "project": ("project", "项目"),
        "option": ("option", "档次"),
        "start": ("start", "开始年度"),
        "region": ("region", "地区"),
        "year": ("year", "年度"),
        "source": ("source", "资金来源"),
        "amount": ("amount", "金额"),
        "title": ("title", "名称"),
        "sector": ("sector", "领域"),
        "belt": ("belt", "地带"),
        "rule": ("rule", "规则"),
        "member": ("member", "成员"),
        "sense": ("sense", "关系"),
        "activity": ("activity", "实际值"),
        "bound": ("bound", "界限"),
        "slack": ("slack", "余量"),
        "violation": ("violation", "缺口"),
        "typed": ("typed bound", "填写的界限"),
        "sentence": ("in words", "说明"),
        "soft": ("soft", "软约束"),
        "state": ("state", "情况"),
        "authority": ("authority", "依据"),
        "awards": ("awards", "拨款"),
        "share": ("share", "占比"),
        "population": ("population", "人口"),
        "people_share": ("population share", "人口占比"),
        "per_head": ("per head", "人均"),
        "against": ("against the average", "相对平均"),
        "projects": ("projects", "项目数"),
        "used": ("used", "使用额"),
        "carried": ("carried", "结转额"),
        "unit": ("unit", "计量单位"),
        "paid": ("sum of Awards", "明细之和"),
        "used_share": ("used share", "使用比例"),
        "asked": ("max_award", "最高资助"),
        "reason": ("reason", "原因"),
        "decision": ("decision", "决定"),
        "award_of_one": ("award", "资助额"),
        "worth": ("worth", "效益"),
        "cost_at_prices": ("cost at prices", "按价格计的成本"),
        "reduced_worth": ("reduced worth", "净效益"),
        "blocked_by": ("blocked by", "受阻于"),
        "takes_at_least": ("worth it would take at least", "入选至少需要的效益"),
        "stays_above": ("worth above which it stays", "高于此效益即保留"),
        "is_funded": ("funded", "资助"),
        "is_cut_back": ("cut back", "减额资助"),
        "is_declined": ("not funded", "不资助"),
        "key": ("key", "键"),
        "value": ("value", "值"),
        "criterion": ("criterion", "指标"),
        "direction": ("direction", "方向"),
        "weight": ("weight", "权重"),
        "priority": ("priority", "优先级"),
        "override_kind": ("override", "人工调整"),
        "in_workbook": ("status in the workbook", "工作簿中的状态"),
        "by": ("decided by", "决定人"),
        "why": ("why", "理由"),
        "on": ("on", "日期"),
        "cost": ("cost", "代价"),
        "cost_low": ("cost at least", "代价至少"),
        "cost_high": ("cost at most", "代价至多"),
        "kind": ("kind", "种类"),
        "final_value": ("final value", "终值"),
        "constraint": ("constraint R.H. side", "约束限制值"),
        "says": ("the rule", "规则内容"),
        "price_more": ("shadow price +1", "影子价格（增1）"),
        "price_less": ("shadow price -1", "影子价格（减1）"),
        "increase": ("allowable increase", "允许增加"),
        "decrease": ("allowable decrease", "允许减少"),
        "dual": ("multiplier", "证明用乘子"),
        "decided_more": ("projects fixed +1", "固定立项时增1"),
        "decided_less": ("projects fixed -1", "固定立项时减1"),
        "point_money": ("1 % point in money", "一个百分点折合资金"),
        "exchange_rate": ("unit in money", "一单位折合资金"),
        "step": ("step", "步长"),
        "change_up": ("moved up", "上调一步的变化"),
        "change_down": ("moved down", "下调一步的变化"),
        "proven_between": ("proven between", "证明区间"),
        "enters": ("enters", "新增项目"),
        "leaves": ("leaves", "退出项目"),
        "no_plan": ("no plan", "无可行方案"),
        "unlimited": ("no limit", "无限制"),
        "rule_kind": ("rule", "规则"),
        "source_kind": ("source", "资金来源"),
        "capacity_kind": ("capacity", "能力"),
        "link_kind": ("link", "关联"),
        "relaxed": ("linear relaxation", "线性松弛"),
        "value_at": ("objective", "目标值"),
        "at_bound": ("bound as typed", "填写的界限"),
        # captions
        "Summary": ("Allocation plan", "分配方案"),
        "Overrides": ("Overrides", "人工调整"),
        "Awards": ("Awards", "拨款明细"),
        "Rules": ("Rules", "规则"),
        "Regions": ("Regions", "地区"),
        "Sectors": ("Sectors", "领域"),
        "Sources": ("Sources", "资金来源"),
        "Declined": ("Not funded", "未获资助的项目"),
        "Manifest": ("Manifest", "留档信息"),
        "Prices": ("Prices", "价格"),
        "Curves": ("Curves", "曲线"),
        "Verdicts": ("Verdicts", "逐项结论"),
        # Summary
        "result": ("Result", "结果"),
        "status": ("status", "状态"),
        "objective": ("objective", "目标值"),
        "best_bound": ("bound", "上界"),
        "gap": ("gap", "差距"),
        "unknown_bound": ("not known", "未知"),
        "awarded": ("awarded", "拨款总额"),
        "funds": ("funds", "资金总额"),
        "awarded_share": ("awarded share of the funds", "拨款占资金比例"),
        "funded": ("funded projects", "获资助项目"),
        "of_projects": ("of {count}", "共{count}项"),
        "rules_kept": ("rules kept", "符合的规则"),
        "rules_missed": ("soft rules missed", "未达到的软约束"),
        "of_rules": ("of {count} rows", "共{count}条"),
        "criteria": ("Criteria", "评价指标"),
        "levels": ("Priorities, one after the other", "逐级优化"),
        "by_belt": ("By belt", "按地带"),
        "made": ("How this plan was made", "方案来历"),
        "changes": ("changes to the workbook", "对工作簿的改动"),
        "no_changes": ("none: the workbook as it stands", "无：按工作簿原样"),
        "overrides": ("overrides", "人工调整"),
        "no_overrides": ("none", "无"),
        "overridden": ("{kind}: {projects}", "{kind}：{projects}"),
        "cost_together": ("cost to the objective: {cost}", "对目标值的代价：{cost}"),
        "cost_between": ("between {low} and {high}", "在 {low} 与 {high} 之间"),
        "cost_from": ("at least {low}", "至少 {low}"),
        "cost_to": ("at most {high}", "至多 {high}"),
        "cost_found": ("{proven} ({found} between the best plans found)", "{proven}（所找到的最好方案相差 {found}）"),
        "cost_unproven": ("not proven", "未经证明"),
        "cost_unknown": ("not known", "未知"),
        "stopped": ("stopped", "停止"),
        "asked_gap": ("gap asked for", "要求的差距"),
        "repeatable": ("repeatable", "可重复"),
        "tie_break": ("tie-break", "同优取舍"),
        "ties_broken": (
            "complete: of all plans that are equally good this is the one the documented order picks",
            "完整：在同样好的方案中，按规定次序选出的就是本方案",
        ),
        "ties_left": (
            "not complete ({reason}): there may be other plans just as good",
            "不完整（{reason}）：可能还有同样好的方案",
        ),
        "program": ("made with", "软件"),
        "digest": ("plan digest", "方案摘要值"),
        "total_of": ("total {what}", "{what}合计"),
        "total_shown": ("total of the rows shown", "所显示行的合计"),
        "all_heads": ("per head, all regions", "全部地区人均"),
        # closed lists
        "optimal": ("optimal", "最优"),
        "feasible": ("feasible", "可行"),
        "infeasible": ("infeasible", "不可行"),
        "unknown": ("unknown", "未知"),
        "force": ("forced in", "强制列入"),
        "forbid": ("forbidden", "禁止列入"),
        "candidate": ("candidate", "候选"),
        "mandatory": ("mandatory", "必选"),
        "excluded": ("excluded", "排除"),
        "max": ("max", "最大"),
        "min": ("min", "最小"),
        "yes": ("yes", "是"),
        "no": ("no", "否"),
        "kept": ("kept", "符合"),
        "exact": ("kept, no slack", "恰好达到"),
        "missed": ("missed", "未达到"),
        "time limit": ("time limit", "时间限制"),
        "interrupted": ("by hand", "人工停止"),
        "work limit": ("work limit", "计算量限制"),
        "memory": ("out of memory", "内存不足"),
        # what the manifest says in words
        **{
            text: (text, chinese)
            for text, chinese in (
                ("a gap is left", "尚有差距"),
                ("only HiGHS breaks ties", "只有 HiGHS 能取舍同优方案"),
                ("its budget of work ran out", "计算量已用完"),
                ("a step took too many nodes", "某一步所需节点过多"),
                ("the solver could not decide a step", "求解器无法判定某一步"),
                ("the round is too large for it", "轮次规模过大"),
                ("a step could not be confirmed in exact arithmetic", "某一步未能以精确运算确认"),
                ("it was stopped: time limit", "因时间限制停止"),
                ("it was stopped: interrupted", "由人工停止"),
                ("it was stopped: memory", "因内存不足停止"),
                ("no: the search ran out of memory", "否：计算因内存不足而停止"),
                ("no: the search was stopped by the clock or by hand", "否：计算因时限或人工而停止"),
                ("yes: the one canonical plan", "是：唯一的规范方案"),
                ("yes: the same plan for the same round, options and version", "是：轮次、选项和版本相同则方案相同"),
            )
        },
        # charts
        "chart_belt": ("Awards by belt", "各地带拨款"),
        "chart_sector": ("Awards by sector", "各领域拨款"),
        "chart_region": ("Awards by region, coloured by belt", "各地区拨款（按地带着色）"),
        "chart_largest": (
            "Awards by region: the {count} largest, coloured by belt",
            "拨款最多的{count}个地区（按地带着色）",
        ),
        "chart_head": ("Award per head against the average of all regions", "人均拨款与全部地区平均之比"),
        "axis_head": ("average = 100 %", "平均 = 100 %"),
        "money": ("Amounts in {unit}", "金额单位：{unit}"),
        "page": ("Page &P of &N", "第&P页，共&N页"),
        # notes under the captions
        "note_Awards": (
            "{money}. One row is one payment; filter the table and the total follows. Check with: optalloc verify",
            "{money}。一行为一笔付款；筛选后合计随之变化。可用 optalloc verify 核对",
        ),
        "note_Awards_in_file": (
            "{money}. One row of the file is one payment. Check with: optalloc verify",
            "{money}。文件中一行为一笔付款。可用 optalloc verify 核对",
        ),
        "note_Rules": (
            (
                "Activity, bound, slack and violation are in the measure's unit (money: {unit}); typed bound: as in "
                "the workbook"
            ),
            "实际值、界限、余量和缺口以所计量的单位表示（金额：{unit}）；填写的界限为工作簿中的数值",
        ),
        "note_Regions": (
            "{money}. Largest first; sums come from {awards}",
            "{money}。由多到少；合计取自 {awards}",
        ),
        "note_Sectors": (
            "{money}. Largest first; sums come from {awards}",
            "{money}。由多到少；合计取自 {awards}",
        ),
        "note_Sources": (
            (
                "{money}. Money carried in from the year before can be used on top of the amount; carried is what "
                "moves on. Payments are those of {awards}"
            ),
            "{money}。上年结转的资金可在当年金额之外使用；结转额为转入下一年的资金。付款取自 {awards}",
        ),
        "note_Overrides": (
            (
                "Projects put into the plan or kept out of it by decision. Cost: objective points, each with the other "
                "overrides kept; all together: {together}. Blank: not known"
            ),
            "经人工决定列入或不列入方案的项目。代价以目标值计，各项均以保留其他调整为前提；合计：{together}。空白表示未知",
        ),
        "note_Declined": (
            (
                "{money}. The reason is what alone keeps a project out; blank: several things do, or the money is of "
                "more use elsewhere"
            ),
            "{money}。原因为单独使项目落选的因素；空白表示有多个因素，或资金用于他处更好",
        ),
        "note_Prices": (
            (
                "Shadow prices: what one unit more or less of the constraint changes in the objective, acceptances in "
                "parts. Moved by the step: the round solved again, the whole change"
            ),
            "影子价格：约束增减一单位时目标值的变化（线性松弛）；上调、下调一步：重新求解后目标值的全部变化",
        ),
        "note_Curves": (
            "The objective against the ten dearest bounds: solved again at each step, and the linear relaxation",
            "目标值随最贵的十个界限的变化：逐步重新求解的结果与线性松弛",
        ),
        "note_Verdicts": (
            (
                "Worth and cost in units of the objective, award in {unit}: worth less what its money and its places "
                "under the rules cost at the prices of the certificate. A project without money is judged by its best "
                "choice. Details: optalloc explain"
            ),
            (
                "效益与成本以目标值单位计，资助额单位：{unit}；净效益为效益减去按证明价格计的资金和规则成本；"
                "未获资助的项目按其最好选项评判。详见 optalloc explain"
            ),
        ),
        "note_Manifest": (
            "What the plan was made from and with, as JSON; optalloc verify reads it",
            "方案的来源与所用软件，JSON 格式；optalloc verify 会读取",
        ),
        # tables in files beside the workbook
        "in_file": (
            "The {rows} rows of this table are in the file {file}, beside this workbook. Keep the two together.",
            "本表共 {rows} 行，存于文件 {file}。该文件与本工作簿须放在同一文件夹，请一并保存。",
        ),
        "payments_in_file": ("the file {file}, as values", "文件 {file}（数值，非公式）"),
        # the proof
        "proven": (
            "Proven: no plan that keeps every rule has a better objective.",
            "已证明：在满足全部规则的方案中，没有目标值更好的。",
        ),
        "proven_within": (
            "Proven within the gap asked for: {distance} below the best possible.",
            "在要求的差距内已证明：比可能的最好值{distance}。",
        ),
        "not_proven": (
            "Not proven the best. The search stopped at a limit ({stopped}): {distance} below the best possible.",
            "未证明为最优。计算因限制而停止（{stopped}）：比可能的最好值{distance}。",
        ),
        "gap_left": (
            "Not proven the best within the gap asked for: {distance} below the best possible.",
            "未在要求的差距内证明最优：比可能的最好值{distance}。",
        ),
        "no_bound": (
            (
                "Not proven the best. The search stopped before it knew how good a plan can be: how far this one is "
                "from the best possible is not known."
            ),
            "未证明为最优。计算在得到上界之前停止，与可能的最好值相差多少尚不可知。",
        ),
        "at_most": ("at most {distance}", "至多低{distance}"),
        "first_priority": (
            "Objective, bound and gap are those of the first priority.",
            "目标值、上界和差距均为第一优先级的。",
        ),
    }
)


def word(key: str, language: Language, **gaps: object) -> str:
    """Return a heading, label or sentence in a language, its `{gaps}` filled."""
    text = WORDS[key][0 if language == "en" else 1]
    return text.format_map(gaps) if gaps else text


def means(text: str, key: str) -> bool:
    """Return whether a text is the word of a key, in either language, without case."""
    return fold(text) in {fold(spelling) for spelling in WORDS[key]}


def cost_in_words(cost: Cost, language: Language) -> str:
    """Return what overrides take off the objective in words; a proven interval is rounded outwards."""
    found = None if cost.found is None else _four_places(cost.found, ROUND_HALF_EVEN)
    if found is not None and cost.low == cost.high == cost.found:
        return found
    low = None if cost.low is None else _four_places(cost.low, ROUND_FLOOR)
    high = None if cost.high is None else _four_places(cost.high, ROUND_CEILING)
    if low is not None and high is not None:
        proven = word("cost_between", language, low=low, high=high)
    elif low is not None:
        proven = word("cost_from", language, low=low)
    elif high is not None:
        proven = word("cost_to", language, high=high)
    else:
        proven = word("cost_unknown" if found is None else "cost_unproven", language)
    return proven if found is None else word("cost_found", language, proven=proven, found=found)


def _four_places(value: Decimal, rounding: str) -> str:
    shown = f"{value.quantize(Decimal('0.0001'), rounding):,f}"
    return shown.rstrip("0").rstrip(".")


def proof_sentence(plan: Plan, language: Language) -> str:
    """Return what is proven about a plan, and what is not, in one sentence."""
    if plan.gap is None or plan.bound is None:
        return word("no_bound", language)
    if plan.status == "optimal" and plan.gap == 0:
        return word("proven", language)
    distance = word("at_most", language, distance=_distance(plan.objective, plan.bound, plan.gap))
    if plan.status == "optimal":
        return word("proven_within", language, distance=distance)
    stopped = plan.manifest.get("stopped")
    if stopped is None:
        return word("gap_left", language, distance=distance)
    return word("not_proven", language, distance=distance, stopped=reason_in_words(stopped, language))


def reason_in_words(stated: object, language: Language) -> str:
    """Return what the manifest gives as a reason in a language; as it stands where there is no wording for it."""
    reason = str(stated)
    return word(reason, language) if reason in WORDS else reason


def tie_break_in_words(tie_break: Mapping[str, object], language: Language) -> str:
    """Return whether the order among equally good plans was gone through to its end."""
    if tie_break.get("complete"):
        return word("ties_broken", language)
    return word("ties_left", language, reason=reason_in_words(tie_break.get("reason"), language))


def _distance(objective: Decimal, bound: Decimal, gap: Decimal) -> str:
    """Return how far the bound may be from the objective: a share of it, rounded up; plain where it is not positive."""
    if objective <= 0:
        return f"{abs(bound - objective).normalize():f}"
    return f"{_rounded_up(100 * gap)} %"


def _rounded_up(value: Decimal) -> str:
    """Return a number with two significant digits, never less than it is."""
    if value == 0:
        return "0"
    return f"{value.quantize(Decimal(1).scaleb(value.adjusted() - 1), rounding=ROUND_CEILING).normalize():f}"
