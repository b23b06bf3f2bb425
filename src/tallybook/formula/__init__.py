"""Formulas over events with data and time: first order, past and bounded future."""
