"""A second, separate program that re-applies the rules of explanations. It shares nothing with what computes verdicts."""
