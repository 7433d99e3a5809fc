"""How far an update is, for people: during a run (``progress``), read from the cluster (``update_status``),
and beside the budgets of others (``disruption``). Nothing here decides.
"""
