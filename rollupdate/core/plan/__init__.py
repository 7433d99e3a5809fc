"""From what is asked for to a goal: ``intent`` and ``policy`` are the question, ``aim`` answers it by what is
``found`` on the cluster, ``goal`` is the answer; ``preview`` shows what it changes. Nothing here writes.
"""
