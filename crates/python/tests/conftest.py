"""What tests share."""

import os

import pytest

import syncpoint

#: Longer than anything here takes, in seconds.
LONG = 20.0

#: The backend on which tests of torch's names run: one that a variable names, CUDA where a driver of it is named, or the host.
BACKEND = os.environ.get("SYNCPOINT_TEST_BACKEND") or ("cuda" if os.environ.get("SYNCPOINT_CUDA_LIBRARY") else "host")


@pytest.fixture
def device():
    return syncpoint.open("host:0")


@pytest.fixture
def stream(device):
    return device.stream()
