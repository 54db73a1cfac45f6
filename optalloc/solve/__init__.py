"""Pyomo model -> arrays -> HiGHS -> the exact, canonical plan."""
