"""Ranking: many sources on one data set, compared before anything is trained; the procedure behind `headstart rank`."""
