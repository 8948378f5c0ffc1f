"""What objects look like at a prompt, what may be given to them, and what may not be changed."""

import inspect
import re

import pytest
from conftest import LONG

import syncpoint

#: Torch's signatures; what is there beside them has a default.
SIGNATURES = {
    syncpoint.Event: "(device=None, *, enable_timing=False, blocking=False, interprocess=False, external=False, native_handle=False)",
    syncpoint.Event.record: "(self, stream=None)",
    syncpoint.Event.wait: "(self, stream=None)",
    syncpoint.Event.query: "(self)",
    syncpoint.Event.synchronize: "(self, timeout=None)",
    syncpoint.Event.ipc_handle: "(self)",
    syncpoint.Event.from_ipc_handle: "(device, handle)",
    syncpoint.Stream: "(device=None, *, priority=0)",
    syncpoint.Stream.query: "(self)",
    syncpoint.Stream.synchronize: "(self, timeout=None)",
    syncpoint.Stream.record_event: "(self, event=None)",
    syncpoint.Stream.wait_event: "(self, event)",
    syncpoint.Stream.wait_stream: "(self, stream)",
    syncpoint.Stream.is_capturing: "(self)",
    syncpoint.Gate: "(name=None)",
    syncpoint.Gate.open: "(self)",
    syncpoint.EventPool: "(device=None)",
    syncpoint.current_stream: "(device=None)",
    syncpoint.default_stream: "(device=None)",
    syncpoint.set_stream: "(stream)",
    syncpoint.stream: "(stream)",
    syncpoint.synchronize: "(device=None, timeout=None)",
    syncpoint.devices: "()",
    syncpoint.capabilities: "(device=None)",
    syncpoint.wait_all: "(awaited, timeout=None)",
    syncpoint.wait_any: "(awaited, timeout=None)",
}


@pytest.mark.parametrize("function", SIGNATURES, ids=lambda function: function.__qualname__)
def test_signatures_are_as_documented(function):
    parameters = inspect.signature(function).parameters.values()
    bare = [each.replace(annotation=each.empty) for each in parameters]
    # What C functions take by their place alone is marked by a slash, which torch's own have too.
    assert str(inspect.Signature(bare)).replace("self, /", "self").replace(", /)", ")") == SIGNATURES[function]


def looks(device, stream):
    buffer = device.buffer(16)
    start, end = (syncpoint.Event(enable_timing=True) for _ in range(2))
    stream.record_event(start)
    stream.record_event(end)
    end.synchronize(timeout=LONG)
    return [
        (stream.record(), rf"<syncpoint\.Point \d+ of stream {stream.stream_id}>"),
        (syncpoint.Gate("the weights"), r"<syncpoint\.Gate id=\d+>"),
        (buffer, r"<syncpoint\.Buffer 0\.\.16 of .*host:0.*>"),
        (buffer[4:12], r"<syncpoint\.Buffer 4\.\.12 of .*host:0.*>"),
        (end - start, r"<syncpoint\.Span [-\d.e]+ ms on .+, in steps of [\d.]+ ns>"),
        (device, r'syncpoint\.open\("host:0"\)'),
        (syncpoint.Event("sim"), r"syncpoint\.Event device_type=sim, device_index=-1, event_flag=0, event_id=0"),
    ]


def test_objects_tell_what_they_are(device, stream):
    for made, look in looks(device, stream):
        assert re.fullmatch(look, repr(made)), (repr(made), look)
    assert str(device) == "host:0" and syncpoint.open(str(device)) == eval(repr(device)) == device


def test_a_notification_is_shown_without_its_function(stream):
    assert "Notification" in repr(stream.record().add_done_callback(lambda failure: None))


READ_ONLY = {
    "Stream": ["device", "device_index", "device_type", "stream_id", "priority", "is_shared", "mode", "native_handle"],
    "Event": ["device", "event_id", "enable_timing", "interprocess", "native_handle"],
    "Point": ["other"],
    "Gate": ["point"],
    "Device": ["name", "type", "index", "capabilities", "priority_range"],
}


def test_what_an_object_is_is_not_changed(device, stream):
    made = {"Stream": stream, "Event": syncpoint.Event(), "Point": stream.record(), "Gate": syncpoint.Gate(), "Device": device}
    for kind, names in READ_ONLY.items():
        for name in names:
            with pytest.raises(AttributeError):
                setattr(made[kind], name, 3)
            with pytest.raises(AttributeError):
                delattr(made[kind], name)
