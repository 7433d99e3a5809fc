"""How far an update is, for people: told during a run (``progress``), read from the cluster (``standing``),
and beside the budgets of others (``disruption``). Nothing here decides.
"""
