"""Calls of solvers: HiGHS, the second solver that users may choose, re-solves from the last basis."""
