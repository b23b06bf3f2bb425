"""The registry of a desk: where ledgers and keys are, what is filed in them, and what others are shown. It wires the ledger."""
