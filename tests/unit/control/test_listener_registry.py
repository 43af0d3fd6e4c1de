"""Listeners are found by the channel a push action names."""

from __future__ import annotations

import pytest

from voltwin.control.listeners.mqtt import MqttListener
from voltwin.control.listeners.registry import find_listener
from voltwin.errors import ActionError


def test_mqtt_comes_through_the_same_door_as_anybodys() -> None:
    assert find_listener("mqtt") is MqttListener


def test_an_unknown_channel_is_refused_with_what_there_is() -> None:
    with pytest.raises(ActionError, match=r"channel 'opc-ua': no listener .* there are: .*mqtt"):
        find_listener("opc-ua")
