"""How the objects of DeploymentConfigs are named and marked. Nothing is decided here."""

from __future__ import annotations

GROUP = "apps.openshift.io"
VERSION = f"{GROUP}/v1"
KIND = "DeploymentConfig"
PLURAL = "deploymentconfigs"

CONFIG = "openshift.io/deployment-config.name"
"""A label by which the controllers of a config are found, and an annotation of them and of their pods."""
LATEST_VERSION = "openshift.io/deployment-config.latest-version"
PHASE = "openshift.io/deployment.phase"
REASON = "openshift.io/deployment.status-reason"
REPLICAS = "openshift.io/deployment.replicas"
CANCELLED = "openshift.io/deployment.cancelled"
DEPLOYER_POD = "openshift.io/deployer-pod.name"
ENCODED = "openshift.io/encoded-deployment-config"
DESIRED = "kubectl.kubernetes.io/desired-replicas"
DEPLOYMENT_NAME = "openshift.io/deployment.name"
"""Of pods: which controller made them."""
DEPLOYMENT, DEPLOYMENT_CONFIG = "deployment", "deploymentconfig"
"""The labels of pods, by which the controller's selector tells them from those of others."""

NEW, PENDING, RUNNING, COMPLETE, FAILED = "New", "Pending", "Running", "Complete", "Failed"
"""The phases of a rollout."""

COMES_TO = "testing.example.com/rollouts-come-to"
"""An annotation of a config, by which a test says at which phase its rollouts stop: ``Complete`` unless it is
there. Nobody but the stand-in knows it."""


def controller_name(config: str, version: int) -> str:
    """Of the ReplicationController of one rollout."""
    return f"{config}-{version}"


def deployer_name(controller: str) -> str:
    """Of the pod that carries a rollout out. The stand-in plays it: the pod is never there."""
    return f"{controller}-deploy"
