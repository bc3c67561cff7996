"""Simulations in which the truth is known: are intervals, verdicts and choices as often right as they say?"""
