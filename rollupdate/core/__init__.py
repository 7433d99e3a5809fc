"""The thinking: frozen values in, frozen values out. No I/O, no clock, the standard library only.

Imports go down this list:

* ``status``: how far an update is. * ``decide``: the next step, from two tuples of rules. * ``phases``: the
rules, and the values they are made of (``steps``, ``session``, ``writes``); ``finish`` has a
  module for each way in which an update ends.
* ``plan``: from what is asked for to a goal.
* ``changes``: the kinds of change that can be asked for, each of which makes a target.
* ``diagnosis``: why pods do not become available.
* ``model``: what is on the cluster.
"""
