"""Words that invented projects are named from."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

#: By sector: what is done, and on what.
TITLES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = MappingProxyType(
    {
        "basic_education": (
            ("School network renewal", "Teacher rotation", "Boarding school upgrade", "Shared online lessons"),
            ("county towns", "mountain villages", "resettled families", "science teaching", "special education"),
        ),
        "vocational_education": (
            ("Training base", "Apprenticeship scheme", "Teacher workshop", "Open training centre"),
            ("machine tools", "elderly care", "food processing", "rail operation", "chip packaging", "modern farming"),
        ),
        "higher_education": (
            ("Discipline group", "Teaching laboratory", "Joint graduate school", "Library network"),
            ("agronomy", "public health", "materials", "software", "energy", "geoscience", "statistics"),
        ),
        "basic_research": (
            ("Open questions", "Observation network", "Theory group", "Long-term experiment"),
            ("catalysis", "plant genomics", "soft matter", "glacier melt", "number theory", "deep ocean", "immunology"),
        ),
        "key_technology": (
            ("Demonstrator", "Core components", "Process chain", "Testing standards"),
            ("gas turbines", "seed breeding", "power storage", "machine vision", "rare earths", "water reuse"),
        ),
        "technology_transfer": (
            ("Pilot line", "Proof-of-concept fund", "Transfer office", "Licensing programme"),
            ("battery recycling", "medical imaging", "biopesticides", "light alloys", "smart irrigation", "sensors"),
        ),
        "young_scholars": (
            ("Fellowships", "First laboratory grants", "Return programme", "Visiting posts"),
            ("mathematics", "life sciences", "engineering", "earth sciences", "rural medicine", "computing"),
        ),
        "industry_talent": (
            ("Engineer exchange", "Master craftsmen", "Industry doctorates", "Skills passport"),
            ("equipment making", "new materials", "green building", "chemical safety", "data services", "textiles"),
        ),
    }
)

#: What a research platform is called, whatever its subject.
PLATFORMS = ("Shared platform", "Open facility", "Instrument centre", "Data centre")
