"""The 31 provinces, municipalities and autonomous regions of mainland China, with public statistics.

Population: seventh national population census, 1 November 2020, National Bureau of Statistics of China (Communiqué
No. 3). Gross regional product of 2022: China Statistical Yearbook 2023, National Bureau of Statistics, in 100 million
yuan (亿元). Belts as the Bureau groups them: 东部 east, 中部 central, 西部 west, 东北 northeast.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Province:
    """A province: identifier, English and Chinese name, belt, people (2020), GDP in 100 million yuan (2022)."""

    region: str
    name: str
    title: str
    belt: str
    population: int
    gdp: Decimal


#: In the Bureau's own order.
PROVINCES = (
    Province("beijing", "Beijing", "北京", "east", 21_893_095, Decimal("41610.9")),
    Province("tianjin", "Tianjin", "天津", "east", 13_866_009, Decimal("16311.3")),
    Province("hebei", "Hebei", "河北", "east", 74_610_235, Decimal("42370.4")),
    Province("shanxi", "Shanxi", "山西", "central", 34_915_616, Decimal("25642.6")),
    Province("inner_mongolia", "Inner Mongolia", "内蒙古", "west", 24_049_155, Decimal("23158.6")),
    Province("liaoning", "Liaoning", "辽宁", "northeast", 42_591_407, Decimal("28975.1")),
    Province("jilin", "Jilin", "吉林", "northeast", 24_073_453, Decimal("13070.2")),
    Province("heilongjiang", "Heilongjiang", "黑龙江", "northeast", 31_850_088, Decimal("15901.0")),
    Province("shanghai", "Shanghai", "上海", "east", 24_870_895, Decimal("44652.8")),
    Province("jiangsu", "Jiangsu", "江苏", "east", 84_748_016, Decimal("122875.6")),
    Province("zhejiang", "Zhejiang", "浙江", "east", 64_567_588, Decimal("77715.4")),
    Province("anhui", "Anhui", "安徽", "central", 61_027_171, Decimal("45045.0")),
    Province("fujian", "Fujian", "福建", "east", 41_540_086, Decimal("53109.9")),
    Province("jiangxi", "Jiangxi", "江西", "central", 45_188_635, Decimal("32074.7")),
    Province("shandong", "Shandong", "山东", "east", 101_527_453, Decimal("87435.1")),
    Province("henan", "Henan", "河南", "central", 99_365_519, Decimal("61345.1")),
    Province("hubei", "Hubei", "湖北", "central", 57_752_557, Decimal("53734.9")),
    Province("hunan", "Hunan", "湖南", "central", 66_444_864, Decimal("48670.4")),
    Province("guangdong", "Guangdong", "广东", "east", 126_012_510, Decimal("129118.6")),
    Province("guangxi", "Guangxi", "广西", "west", 50_126_804, Decimal("26300.9")),
    Province("hainan", "Hainan", "海南", "east", 10_081_232, Decimal("6818.2")),
    Province("chongqing", "Chongqing", "重庆", "west", 32_054_159, Decimal("29129.0")),
    Province("sichuan", "Sichuan", "四川", "west", 83_674_866, Decimal("56749.8")),
    Province("guizhou", "Guizhou", "贵州", "west", 38_562_148, Decimal("20164.6")),
    Province("yunnan", "Yunnan", "云南", "west", 47_209_277, Decimal("28954.2")),
    Province("tibet", "Tibet", "西藏", "west", 3_648_100, Decimal("2132.6")),
    Province("shaanxi", "Shaanxi", "陕西", "west", 39_528_999, Decimal("32772.7")),
    Province("gansu", "Gansu", "甘肃", "west", 25_019_831, Decimal("11201.6")),
    Province("qinghai", "Qinghai", "青海", "west", 5_923_957, Decimal("3610.1")),
    Province("ningxia", "Ningxia", "宁夏", "west", 7_202_654, Decimal("5069.6")),
    Province("xinjiang", "Xinjiang", "新疆", "west", 25_852_345, Decimal("17741.3")),
)

BELTS = ("east", "central", "west", "northeast")
