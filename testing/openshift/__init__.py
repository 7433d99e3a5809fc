"""OpenShift's DeploymentConfig for test clusters: the kind's definition, and a stand-in of its controller.

What the controller does is one pure decision (``decide``) over what was seen (``seen``): the next step, or
none. ``claiming``, ``deploying``, ``rollouts``, ``sizes`` and ``status`` are its parts, ``writes`` makes new
objects of old ones, ``steps`` is what can come out. ``controller`` looks and carries out steps by requests
alone, so it can stand beside any cluster: ``runner`` does that beside a real one, the module of this name in
``testing.sandbox`` on the sandbox's clock. It knows nothing of what is tested with it.
"""
