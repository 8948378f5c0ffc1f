"""What tests share."""

import pytest

import syncpoint

#: Longer than anything here takes, in seconds.
LONG = 20.0


@pytest.fixture
def device():
    return syncpoint.open("host:0")


@pytest.fixture
def stream(device):
    return device.stream()
