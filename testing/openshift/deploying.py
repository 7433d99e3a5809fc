"""When a config begins a new rollout: what triggers it, and what it waits for."""

from __future__ import annotations

from testing.objects import Json
from testing.openshift.seen import Config, Controller

CONFIG_CHANGE, IMAGE_CHANGE = "ConfigChange", "ImageChange"


def has_trigger(config: Config) -> bool:
    return bool(config.triggers(CONFIG_CHANGE) or config.triggers(IMAGE_CHANGE))


def waits_for_images(config: Config) -> bool:
    """Whether a container has no image, or the first rollout comes when an image is known.

    Who resolves images is another controller; here a test does.
    """
    if not all(image.strip() for image in config.images):
        return True
    by_image = config.triggers(IMAGE_CHANGE)
    return config.is_initial and bool(by_image) and not all(_is_resolved(trigger) for trigger in by_image)


def cause(config: Config, latest: Controller | None) -> Json | None:
    """Why the next rollout begins, as the status tells it; None if none begins.

    A config change is found by comparing the template with the one that was rolled out, as the controller of
    that rollout has it in an annotation: an edit of that controller itself changes nothing.
    """
    if config.is_initial:
        return _config_change() if has_trigger(config) else None
    if latest is None:
        return None
    known = set(latest.images)
    changed = [image for image in config.images if image not in known]
    if changed and config.triggers(IMAGE_CHANGE):
        return {"message": "image change", "causes": [_image_change(image) for image in changed]}
    if config.triggers(CONFIG_CHANGE) and latest.encoded_template not in (None, config.template):
        return _config_change()
    return None


def _config_change() -> Json:
    return {"message": "config change", "causes": [{"type": CONFIG_CHANGE}]}


def _image_change(image: str) -> Json:
    return {"type": IMAGE_CHANGE, "imageTrigger": {"from": {"kind": "DockerImage", "name": image}}}


def _is_resolved(trigger: Json) -> bool:
    return bool((trigger.get("imageChangeParams") or {}).get("lastTriggeredImage"))
