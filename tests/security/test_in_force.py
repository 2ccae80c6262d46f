"""The settings in force in the running app, not only in its file."""

from __future__ import annotations

import pytest

from tests.security.conftest import App

SAFE = {
    "client.disableDataExport": True,
    "client.showErrorDetails": "none",
    "client.showErrorLinks": False,
    "client.toolbarMode": "viewer",
    "browser.gatherUsageStats": False,
    "server.address": "127.0.0.1",
    "server.enableAgentApi": False,
    "server.enableCORS": True,
    "server.enableStaticServing": False,
    "server.enableXsrfProtection": True,
    "server.maxMessageSize": 20,
    "server.maxUploadSize": 1,
    # No header sets the user, and no page of another site is allowed.
    "server.corsAllowedOrigins": [],
    "server.trustedUserHeaders": {},
    # Features that show or change the server's code and settings.
    "global.developmentMode": False,
    "server.fileWatcherType": "none",
    "server.runOnSave": False,
    "server.scriptHealthCheckEnabled": False,
}


@pytest.mark.parametrize("name", SAFE)
def test_a_setting_in_force_is_safe(running: App, name: str) -> None:
    assert running.settings()[name] == SAFE[name]


def test_the_size_of_a_message_is_limited(running: App) -> None:
    assert running.settings()["server.maxWidgetStateSize"] <= 5


def test_messages_wait_for_the_script_with_any_host_configuration(running: App) -> None:
    assert running.settings()["runner.fastReruns"] is False


def test_no_other_site_sends_messages_to_the_page(running: App) -> None:
    assert running.settings()["client.allowedOrigins"] == []
