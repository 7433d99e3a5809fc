"""What the tests stand on, and nothing that is released.

``sandbox`` is the embedded cluster, ``controlplane`` the real one; ``chaos`` kills, cuts off and disturbs the
command, ``fuzz`` makes up its input. None of it shares code with the tool.
"""
