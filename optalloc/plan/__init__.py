"""The decided ledger in exact amounts, and its verification."""
