"""Peers that cannot share Strata's environment: RecBole's models, trained and ranked in one of their own."""
