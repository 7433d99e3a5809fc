"""A hollow kubelet, with the scheduler in it: pods look as if they ran, and nothing does.

What a pod goes through is decided here, without a clock, requests or threads; who carries it out is in
``testing.sandbox.kubelet`` (on the sandbox's own verbs and clock) and ``testing.controlplane.kubelet``
(through the API). ``behaviour`` is what tests say of images, ``lifecycle`` what follows of it step by step,
``pod_status`` and ``events`` how that looks, ``logs`` what containers have printed.
"""
