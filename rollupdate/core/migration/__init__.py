"""Pods that go from a ReplicationController to a Deployment, or back, without one of them being restarted.

``decide`` has the next step. A ladder, climbed towards the Deployment (``climbing``) and descended towards
the controller (``descending``); a rollback turns round on whatever rung it finds:

==== ==================== ========================= ==========================================================
rung controller           ReplicaSet                Deployment
==== ==================== ========================= ==========================================================
0    has the pods         none                      none
1    has the pods         held, the controller's    none
2    held                 held                      none. *The pods move*
3    held, no pods        has the pods              none
4    no size, no match    has the pods              none
5    no size, no match    has the pods              paused, owns nothing
6    no size, no match    the Deployment's          paused; counts them as pods of its own template: the proof
7    no size, no match    the Deployment's          paused, with the older revisions
8    no size, no match    the Deployment's          live
9    gone, or kept so     the Deployment's          live, our annotations off
==== ==================== ========================= ==========================================================

If the controller belongs to an OpenShift DeploymentConfig, that is paused before rung 1, has size 0 from
rung 3 to rung 9, and stays so; on the way down it has its size again before rung 2, and is unpaused at the
end (``standing``).

At every instant each pod has one controller, and the ReplicaSet has one as well: one without an owner would
be adopted by any Deployment that selects its labels. Nothing is concluded before the manager has observed
what was written. Facts and order: Kubernetes 1.20 and 1.36, the controllers for ReplicaSets and Deployments.
"""
