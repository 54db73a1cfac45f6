"""The sheets and columns of a round workbook, in one table.

The template, the reader, the messages and the reference page are made from it, so they cannot drift apart. Names are
lower-case English identifiers, each with a Chinese heading; either is accepted on input.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

Kind = Literal[
    "text",  # free text
    "identifier",  # the row's own name
    "reference",  # one identifier of another sheet
    "references",  # several, separated by ;
    "values",  # several values of one's own (tags)
    "regions",  # one region, or region:share; region:share
    "profile",  # shares by year
    "money",  # a number >= 0, a multiple of the step
    "number",
    "share",  # 0.45 or 45 %
    "whole",
    "year",
    "choice",  # one of `choices`
    "dimension",  # sector, region …
    "dimensions",  # filter columns, separated by ;
    "filter",  # values to let pass, !value for not
    "measure",  # award, accepted, cofunding or a numeric column of Projects
    "base",  # total, funds, average or a numeric column of Regions
    "attribute",  # a numeric column of Regions
    "any",  # whatever the row's setting takes
]

NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Column:
    """One column (or, on Round, one setting). `choices` go from the English word to the Chinese one.

    `unbuilt` choices are known and refused; a column that is not `built` must stay blank. Numbers must lie between
    `least` and `most`. By a `grouped` text rows are grouped and filtered, so a cell holds one value.
    """

    name: str
    zh: str
    kind: Kind
    doc: str
    doc_zh: str
    required: bool = False
    target: str | None = None
    choices: Mapping[str, str] = field(default_factory=lambda: NONE)
    unbuilt: frozenset[str] = frozenset()
    built: bool = True
    least: int | None = None
    most: int | None = None
    grouped: bool = False
    example: str | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet. `open` sheets take further numeric columns (measures, attributes); `key` columns name a row."""

    name: str
    zh: str
    doc: str
    doc_zh: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    required: bool = False
    built: bool = True
    open: bool = False

    def column(self, name: str) -> Column:
        """Return a column by its English name."""
        return next(column for column in self.columns if column.name == name)


def _filters(*names: str) -> tuple[Column, ...]:
    columns = {
        "sectors": ("领域范围", "Sectors", "sectors", "领域"),
        "categories": ("类别范围", None, "categories", "类别"),
        "regions": ("地区范围", "Regions", "regions", "地区"),
        "belts": ("地带范围", None, "belts", "地带"),
        "institutions": ("单位范围", None, "institutions", "单位"),
        "tags": ("标签范围", None, "tags", "标签"),
        "years": ("年度范围", None, "years", "年度"),
    }
    return tuple(
        Column(
            name,
            columns[name][0],
            "filter",
            f"Only these {columns[name][2]}, separated by ; (blank: any; !x: all but x).",
            f"只限这些{columns[name][3]}，用;分隔（空白：不限；!x：除x以外）。",
            target=columns[name][1],
        )
        for name in names
    )


_FILTERS = ("sectors", "categories", "regions", "belts", "institutions", "tags", "years")
_TITLE = Column("title", "名称", "text", "A name for people to read.", "供人阅读的名称。")
_AUTHORITY = Column(
    "authority", "依据", "text", "Who or what demands it: a law, a decision.", "由谁或何文件规定：法律、决定等。"
)
_BASIS = Column(
    "basis",
    "计入方式",
    "choice",
    "accepted: the column counts in full once a project is accepted; award: in proportion to its award.",
    "立项：项目一经立项即全额计入；拨款：按拨款比例计入。",
    choices={"accepted": "立项", "award": "拨款"},
)

SETTINGS: tuple[Column, ...] = (
    Column(
        "title", "名称", "text", "What this round is called.", "本轮次的名称。", required=True, example="Round 2027"
    ),
    Column("currency", "币种", "text", "The currency, for people to read.", "币种，供人阅读。", example="CNY"),
    Column(
        "unit",
        "计量单位",
        "text",
        "What one unit of every amount is, such as 10,000 yuan.",
        "每个金额的计量单位，例如万元。",
        required=True,
        example="10,000 yuan",
    ),
    Column(
        "step",
        "最小单位",
        "number",
        "Awards are whole multiples of this; default 1.",
        "拨款须为它的整数倍；默认为1。",
        example="1",
    ),
    Column(
        "first_year",
        "起始年度",
        "year",
        "The first year of the round; needed when it has several years or names any.",
        "轮次的第一个年度；有多个年度或出现任何年度时必填。",
        example="2027",
    ),
    Column(
        "years",
        "年数",
        "whole",
        "How many years the round has, 100 at most; default 1.",
        "轮次的年数，至多100；默认为1。",
        least=1,
        most=100,
    ),
    Column(
        "discount",
        "折现率",
        "share",
        "Yearly rate by which later years' benefit counts less; money is never discounted; default 0.",
        "以后年度效益每年的折减率；资金从不折现；默认为0。",
    ),
    Column(
        "method",
        "方法",
        "choice",
        "weighted: all criteria at once, by weight; lexicographic: one after the other, by priority.",
        "加权：按权重同时考虑全部指标；逐级：按优先级依次考虑。",
        choices={"weighted": "加权", "lexicographic": "逐级", "reference": "参考点"},
        unbuilt=frozenset({"reference"}),
    ),
    Column(
        "normalise",
        "归一化",
        "choice",
        "Divide each criterion by its range first: not supported yet, leave blank or no.",
        "是否先按各指标的范围归一：尚不支持，请留空或填否。",
        choices={"no": "否", "yes": "是"},
        unbuilt=frozenset({"yes"}),
    ),
    Column(
        "gap",
        "允许误差",
        "share",
        "How far below the best possible the plan may provably be, as a share; default 0.0001.",
        "方案与可能的最优之间允许的（已证明的）差距，以比例表示；默认0.0001。",
    ),
    Column(
        "projects_file",
        "项目文件",
        "text",
        "A CSV or Parquet file with the projects, in place of the sheet Projects: its path from this workbook's folder.",
        "存放项目的CSV或Parquet文件，代替项目表：相对于本工作簿所在文件夹的路径。",
    ),
    Column("note", "备注", "text", "Anything worth remembering.", "任何值得记下的内容。"),
)

_ROUND = Sheet(
    "Round",
    "轮次",
    "The settings of the round, one a row.",
    "轮次的设置，每行一项。",
    (
        Column("setting", "设置", "identifier", "Which setting.", "设置项。", required=True),
        Column("value", "值", "any", "Its value.", "设置的值。"),
    ),
    ("setting",),
    required=True,
)

_SOURCES = Sheet(
    "Sources",
    "资金来源",
    "The money: one pool in one year a row, and what it may be spent on.",
    "资金：每行为一个资金池在一个年度的金额，以及可用于何处。",
    (
        Column(
            "source", "资金来源", "identifier", "The pool; the same name may stand once a year.",
            "资金池；同一名称每个年度可出现一次。", required=True, example="education",
        ),
        _TITLE,
        Column("year", "年度", "year", "The year of the money; blank only in a one-year round.",
               "资金所属年度；仅单年度轮次可留空。"),
        Column("amount", "金额", "money", "How much there is, in the round's unit.", "金额，以轮次的计量单位计。",
               required=True, example="1000"),
        Column("least", "最低支出比例", "share", "The share that must be spent at least; default 0.",
               "至少须支出的比例；默认为0。"),
        Column("carry_over", "结转比例", "share", "The share of the unspent that may move on to the next year; default 0.",
               "未支出部分可结转到下一年度的比例；默认为0。"),
        _AUTHORITY,
        *_filters(*_FILTERS[:-1]),
    ),
    ("source", "year"),
    required=True,
)  # fmt: skip

_SECTORS = Sheet(
    "Sectors",
    "领域",
    "The sectors money is spent on.",
    "资金投向的领域。",
    (
        Column(
            "sector", "领域", "identifier", "The sector's short name.", "领域简称。", required=True, example="education"
        ),
        _TITLE,
    ),
    ("sector",),
    required=True,
)

_REGIONS = Sheet(
    "Regions",
    "地区",
    "The regions, their belts, and any figures about them (population, gdp, …) in columns of their own.",
    "地区、所属地带，以及各自的数据（人口、地区生产总值等），各占一列。",
    (
        Column("region", "地区", "identifier", "The region's short name.", "地区简称。", required=True, example="gansu"),
        _TITLE,
        Column("belt", "地带", "text", "The belt the region belongs to: east, central, west, northeast, say.",
               "地区所属地带，例如东部、中部、西部、东北。", required=True, grouped=True, example="west"),
        Column("population", "人口", "number", "Inhabitants, for rules per head.", "人口，用于人均规则。", example="25000000"),
        Column("gdp", "地区生产总值", "number", "Gross domestic product.", "地区生产总值。"),
    ),
    ("region",),
    required=True,
    open=True,
)  # fmt: skip

_PROJECTS = Sheet(
    "Projects",
    "项目",
    "What can be funded. Further columns of numbers (people trained, score, …) can be used by criteria and rules.",
    "可资助的项目。其他数值列（培养人数、评分等）可用于指标和规则。",
    (
        Column("project", "项目", "identifier", "The project's short name.", "项目编号。", required=True, example="P001"),
        _TITLE,
        Column("sector", "领域", "reference", "A sector of the sheet Sectors.", "领域表中的领域。", required=True,
               target="Sectors", example="education"),
        Column("category", "类别", "text", "A kind of spending, such as equipment.", "支出类别，例如设备。", grouped=True),
        Column("region", "地区", "regions", "A region, or several with shares: beijing:0.6; gansu:0.4.",
               "一个地区，或多个地区及其份额：beijing:0.6; gansu:0.4。", required=True, target="Regions", example="gansu"),
        Column("institution", "单位", "text", "Who carries the project out.", "承担单位。", grouped=True),
        Column("tags", "标签", "values", "Any labels, separated by ;", "任意标签，用;分隔。"),
        Column("status", "状态", "choice", "candidate (default), mandatory or excluded.", "候选（默认）、必选或排除。",
               choices={"candidate": "候选", "mandatory": "必选", "excluded": "排除"}),
        Column("min_award", "最低资助", "money",
               "Smallest award. Blank: all or nothing. 0: any amount, no accept decision (a block grant).",
               "最低资助额。空白：全额或不资助。0：任意金额，无立项决定（整笔补助）。"),
        Column("max_award", "最高资助", "money", "Largest award, in the round's unit.", "最高资助额，以轮次的计量单位计。",
               required=True, example="120"),
        Column("start_from", "最早开始", "year", "Earliest start; blank: the first year.", "最早开始年度；空白：第一个年度。"),
        Column("start_to", "最晚开始", "year", "Latest start; blank: the same as start_from.", "最晚开始年度；空白：与最早开始相同。"),
        Column("profile", "年度分布", "profile", "How the award falls on years from the start on: 0.5; 0.3; 0.2.",
               "拨款自开始年度起的年度分布：0.5; 0.3; 0.2。"),
        Column("cofunding", "配套资金", "number", "What others pay if the award is max_award.", "按最高资助额时他方的配套资金。"),
        Column("feasibility", "可行性", "number", "How feasible it is, as a number.", "可行性评分。"),
    ),
    ("project",),
    required=True,
    open=True,
)  # fmt: skip

_OPTIONS = Sheet(
    "Options",
    "资助档次",
    "Other funding levels of projects; a column left blank takes the project's value.",
    "项目的其他资助档次；留空的列取项目本身的值。",
    (
        Column("project", "项目", "reference", "A project of the sheet Projects.", "项目表中的项目。", required=True,
               target="Projects", example="P001"),
        Column("option", "档次", "identifier", "The level's name, such as small.", "档次名称，例如小型。", required=True,
               example="small"),
        Column("min_award", "最低资助", "money", "Smallest award; blank: all or nothing.", "最低资助额；空白：全额或不资助。"),
        Column("max_award", "最高资助", "money", "Largest award.", "最高资助额。", required=True, example="60"),
        Column("cofunding", "配套资金", "number", "What others pay if the award is max_award.", "按最高资助额时他方的配套资金。"),
        Column("feasibility", "可行性", "number", "How feasible it is, as a number.", "可行性评分。"),
    ),
    ("project", "option"),
    open=True,
)  # fmt: skip

_CRITERIA = Sheet(
    "Criteria",
    "评价指标",
    "What the plan is to be good at.",
    "方案追求的目标。",
    (
        Column("criterion", "指标", "identifier", "The criterion's name: a numeric column of Projects, unless measure says otherwise.",
               "指标名称：项目表中的数值列，除非另填计量。", required=True, example="people_trained"),
        _TITLE,
        Column("direction", "方向", "choice", "max (default): more is better; min: less is better.",
               "最大（默认）：越多越好；最小：越少越好。", choices={"max": "最大", "min": "最小"}),
        Column("weight", "权重", "number", "What one unit counts; needed by the weighted method.", "每一单位的分值；加权方法必填。",
               least=0, example="1"),
        Column("priority", "优先级", "whole", "Lowest number first; needed by the lexicographic method.",
               "数字小者优先；逐级方法必填。"),
        Column("tolerance", "容许偏差", "share", "The share of this optimum that later priorities may give up; default 0.",
               "后续优先级可让出的本级最优值比例；默认为0。"),
        Column("target", "目标值", "number", "For the reference method: not supported yet, leave blank.",
               "用于参考点方法：尚不支持，请留空。", built=False),
        Column("kind", "类型", "choice", "sum (default): add up; the others are not supported yet.",
               "合计（默认）；其余尚不支持。", choices={"sum": "合计", "worst": "最差", "gini": "基尼", "shortfall": "缺口"},
               unbuilt=frozenset({"worst", "gini", "shortfall"})),
        Column("measure", "计量", "measure", "What is added up: award, accepted, cofunding or a numeric column of Projects; "
               "blank: the column of the criterion's name.",
               "合计的内容：拨款、立项数、配套资金或项目表中的数值列；空白：与指标同名的列。"),
        _BASIS,
        Column("each", "分组", "dimension", "For kinds that compare groups: not supported yet, leave blank.",
               "用于分组比较的类型：尚不支持，请留空。", built=False),
        Column("per", "人均基数", "attribute", "For kinds that compare groups: not supported yet, leave blank.",
               "用于分组比较的类型：尚不支持，请留空。", built=False),
        *_filters(*_FILTERS),
    ),
    ("criterion",),
    required=True,
)  # fmt: skip

_RULES = Sheet(
    "Rules",
    "规则",
    "Limits the plan must keep (or pay a penalty for missing).",
    "方案必须遵守的限制（或在违反时扣分）。",
    (
        Column("rule", "规则", "identifier", "The rule's short name.", "规则简称。", required=True, example="west_floor"),
        _TITLE,
        Column("measure", "计量", "measure", "What is limited: award, accepted, cofunding or a numeric column of Projects.",
               "受限制的内容：拨款、立项数、配套资金或项目表中的数值列。", required=True, example="award"),
        _BASIS,
        Column("each", "分组", "dimension", "One limit for each sector, category, region, belt, institution, tag or year.",
               "对每个领域、类别、地区、地带、单位、标签或年度各设一个限制。"),
        Column("per", "人均基数", "attribute", "Per head of this numeric column of Regions.", "以地区表的该数值列为人均基数。"),
        Column("sense", "关系", "choice", ">= at least, <= at most, = exactly.", "不低于、不高于、等于。", required=True,
               choices={">=": "不低于", "<=": "不高于", "=": "等于"}, example=">="),
        Column("bound", "界限", "number", "The limit: a number, or a share such as 45 %.", "界限：数值，或比例如45 %。",
               required=True, example="45 %"),
        Column("of", "相对于", "base", "What the bound is a share of: blank (absolute), total, funds, average, or a column of Regions.",
               "界限的比较对象：空白（绝对值）、总额、资金总额、平均，或地区表的数值列。", example="total"),
        Column("within", "基数范围", "dimensions", "Which of the filter columns restrict the base too.", "哪些范围列同时限制基数。"),
        Column("penalty", "罚分", "number", "Blank: must be kept. A number: points taken off for each unit missed.",
               "空白：必须遵守。数值：每违反一个单位扣除的分数。", least=0),
        _AUTHORITY,
        *_filters(*_FILTERS),
    ),
    ("rule",),
)  # fmt: skip

_LINKS = Sheet(
    "Links",
    "项目关联",
    "Relations between projects.",
    "项目之间的关系。",
    (
        Column("link", "项目关联", "identifier", "The link's short name.", "关联简称。", required=True, example="L1"),
        Column("kind", "类型", "choice",
               "requires: the first needs all others; excludes: at most one; all_or_none; at_least k; at_most k; "
               "synergy: value is added when all are accepted.",
               "前置：第一个项目需要其余全部；互斥：至多一个；同进退；至少k个；至多k个；协同：全部立项时加上值。", required=True,
               choices={"requires": "前置", "excludes": "互斥", "all_or_none": "同进退", "at_least": "至少",
                        "at_most": "至多", "synergy": "协同"}, example="requires"),
        Column("projects", "项目", "references", "Two or more projects, separated by ;", "两个或以上项目，用;分隔。",
               required=True, target="Projects", example="P002; P001"),
        Column("k", "个数", "whole", "How many, for at_least and at_most.", "用于至少、至多的个数。", least=0),
        Column("criterion", "指标", "reference", "The criterion a synergy adds to.", "协同所加的指标。", target="Criteria"),
        Column("value", "值", "number", "What a synergy adds; may be negative.", "协同所加的值；可为负。"),
    ),
    ("link",),
)  # fmt: skip


def _later(name: str, zh: str, doc: str, doc_zh: str, *columns: tuple[str, str, str, str]) -> Sheet:
    """Return a sheet that is known but not supported yet: accepted empty, refused filled."""
    return Sheet(
        name,
        zh,
        f"{doc} Not supported yet: leave this sheet empty.",
        f"{doc_zh}尚不支持：请勿填写。",
        tuple(
            Column(column, heading, "text", text, text_zh, built=False) for column, heading, text, text_zh in columns
        ),
        (),
        built=False,
    )


_NOT_BUILT = (
    _later(
        "Pairs", "对口支援", "Counterpart assistance between regions.", "地区间的对口支援。",
        ("donor", "支援方", "The region that gives.", "提供支援的地区。"),
        ("recipient", "受援方", "The region that receives.", "接受支援的地区。"),
        ("floor", "下限", "The least that must be transferred.", "转移的最低金额。"),
        ("cap", "上限", "The most that may be transferred.", "转移的最高金额。"),
        ("match_rate", "配套比例", "What the recipient adds to each unit received.", "受援方对每单位支援的配套。"),
        ("year", "年度", "The year of the transfer.", "转移的年度。"),
    ),
    _later(
        "Facilities", "共享设施", "Shared equipment.", "共享设施。",
        ("facility", "设施", "The facility's short name.", "设施简称。"),
        ("region", "地区", "Where it stands.", "所在地区。"),
        ("owner", "所有者", "Whose it is.", "所有者。"),
        ("capacity", "容量", "Hours it can be used.", "可用机时。"),
        ("operating_cost", "运行成本", "Cost of an hour of use.", "每机时的运行成本。"),
        ("year", "年度", "The year of the capacity.", "容量所属年度。"),
    ),
    _later(
        "Usage", "设施使用", "Hours of shared equipment a project needs.", "项目所需的设施机时。",
        ("project", "项目", "The project.", "项目。"),
        ("facility", "设施", "The facility it needs.", "所需设施。"),
        ("hours", "机时", "How many hours.", "机时数。"),
        ("own_cost", "自购成本", "What equipment of its own would cost.", "自购设备的成本。"),
    ),
    _later(
        "Demand", "人才需求", "Talent demand by field and region.", "各地区各专业的人才需求。",
        ("field", "专业", "The field.", "专业。"),
        ("region", "地区", "The region that needs people.", "需求地区。"),
        ("year", "年度", "The year of the demand.", "需求年度。"),
        ("people", "人数", "How many people.", "人数。"),
    ),
    _later(
        "Supply", "人才供给", "People a project trains.", "项目培养的人数。",
        ("project", "项目", "The project.", "项目。"),
        ("field", "专业", "The field.", "专业。"),
        ("people", "人数", "How many people.", "人数。"),
    ),
    _later(
        "Stakeholders", "参与方", "Weights of groups, with a column for each criterion.", "各参与方的权重，每个指标一列。",
        ("stakeholder", "参与方", "The group.", "参与方。"),
        ("weight", "权重", "How much the group counts.", "参与方的权重。"),
    ),
    _later(
        "Pairwise", "两两比较", "Pairwise judgements of groups.", "各参与方的两两比较。",
        ("stakeholder", "参与方", "The group that judges.", "作出判断的参与方。"),
        ("criterion_a", "指标甲", "One criterion.", "一个指标。"),
        ("criterion_b", "指标乙", "The other criterion.", "另一个指标。"),
        ("ratio", "比值", "How many times as important the first one is.", "指标甲的重要性是指标乙的几倍。"),
    ),
    _later(
        "Assessments", "专家评分", "Scores of experts.", "专家评分。",
        ("project", "项目", "The project.", "项目。"),
        ("assessor", "专家", "Who scores.", "评分专家。"),
        ("criterion", "指标", "What is scored.", "被评分的指标。"),
        ("score", "评分", "The score.", "评分。"),
    ),
    _later(
        "Baseline", "上轮拨款", "Last round's awards.", "上轮拨款。",
        ("project", "项目", "The project.", "项目。"),
        ("award", "拨款", "What it got.", "上轮所得拨款。"),
    ),
    _later(
        "Scenarios", "情景", "One change of one scenario a row.", "每行为一个情景中的一项变化。",
        ("scenario", "情景", "The scenario's name.", "情景名称。"),
        ("title", "名称", "A name for people to read.", "供人阅读的名称。"),
        ("sheet", "工作表", "The sheet that changes.", "变化所在的工作表。"),
        ("key", "键", "The row that changes.", "变化所在的行。"),
        ("column", "列", "The column that changes.", "变化所在的列。"),
        ("change", "变化", "What is done: *1.1, +500 or =0.4.", "变化方式：*1.1、+500或=0.4。"),
    ),
)  # fmt: skip

SHEETS: tuple[Sheet, ...] = (
    _ROUND,
    _SOURCES,
    _SECTORS,
    _REGIONS,
    _PROJECTS,
    _OPTIONS,
    _CRITERIA,
    _RULES,
    _LINKS,
    *_NOT_BUILT,
)

#: A sheet for people in the template; the reader passes it over.
GUIDE = ("Guide", "说明")


def sheet_named(name: str) -> Sheet:
    """Return a sheet by its English name."""
    return next(sheet for sheet in SHEETS if sheet.name == name)
