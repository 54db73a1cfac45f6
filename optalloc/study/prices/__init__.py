"""What every rule, source and link costs, how far it holds, and what moving it really does."""
