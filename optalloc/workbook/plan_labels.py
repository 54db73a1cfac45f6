"""The words of the plan workbook in both languages: headings, labels and sentences, one table.

The sheets and the first seven headings of Awards keep their English names. The reader takes a heading or label in
either language.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from types import MappingProxyType
from typing import Literal

from integrated_fund.problem import Language
from optalloc.plan.plan import Plan
from optalloc.workbook.names import fold

PlanSheet = Literal["Summary", "Awards", "Rules", "Regions", "Sectors", "Sources", "Declined", "Manifest", "Verdicts"]

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
        # captions
        "Summary": ("Allocation plan", "分配方案"),
        "Awards": ("Awards", "拨款明细"),
        "Rules": ("Rules", "规则"),
        "Regions": ("Regions", "地区"),
        "Sectors": ("Sectors", "领域"),
        "Sources": ("Sources", "资金来源"),
        "Declined": ("Not funded", "未获资助的项目"),
        "Manifest": ("Manifest", "留档信息"),
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
        "note_Declined": (
            (
                "{money}. The reason is what alone keeps a project out; blank: several things do, or the money is of "
                "more use elsewhere"
            ),
            "{money}。原因为单独使项目落选的因素；空白表示有多个因素，或资金用于他处更好",
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
