"""What a round of an integrated special fund is, and its mathematics.

Data goes one way: `round.Round` -> `ledger.Ledger` -> `fund.Fund` (a Pyomo model). Nothing here knows files, a
solver or a terminal.
"""
