"""What a gang does with the devices it finds."""

from __future__ import annotations

import pytest
import tensorflow as tf

from trainyard_trainer.training.gang import Gang


@pytest.mark.parametrize("running_already", [False, True])
def test_a_gang_of_one_leaves_of_a_gpu_what_it_does_not_need(
    monkeypatch: pytest.MonkeyPatch, running_already: bool
) -> None:
    gpu = tf.config.PhysicalDevice("/physical_device:GPU:0", "GPU")
    growing: list[tf.config.PhysicalDevice] = []

    def set_memory_growth(device: tf.config.PhysicalDevice, enable: bool) -> None:
        if running_already:
            raise RuntimeError("Physical devices cannot be modified after being initialized")
        assert enable
        growing.append(device)

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _: [gpu])
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", set_memory_growth)
    assert Gang.alone().workers == 1
    assert growing == ([] if running_already else [gpu])
