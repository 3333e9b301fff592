"""Mutation testing: `make mutants` over pure modules and entry points, `make sabotage` over SQL."""
