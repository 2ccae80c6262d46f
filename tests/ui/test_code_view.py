"""The code of a request with its packages, key and server."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from components.snippets.export import Language
from components.ui.form import keys


def embedded() -> None:
    from components.contract.profile import BEEZY
    from components.embedded.process import EmbeddedModel
    from components.endpoints.endpoint import EmbeddedEndpoint
    from components.ui.form.code_view import draw_code
    from tests.contract.test_request import a_request

    draw_code(EmbeddedEndpoint("embedded", BEEZY, EmbeddedModel()), a_request())


def configured() -> None:
    from components.contract.profile import BEEZY
    from components.endpoints.endpoint import Address, Endpoint
    from components.streaming.session import ApiKey
    from components.ui.form.code_view import draw_code
    from tests.contract.test_request import a_request

    url = "https://chat.example/v1"
    draw_code(Endpoint("mine", BEEZY, Address(url, ApiKey("secret", url))), a_request())


def page_of(script: object, language: Language) -> AppTest:
    page = AppTest.from_function(script, default_timeout=20)
    page.session_state[keys.LANGUAGE] = language.label
    page.run()
    assert not page.exception
    return page


@pytest.mark.parametrize("language", [Language.CURL, Language.REQUESTS, Language.MISTRALAI, Language.OPENAI])
def test_the_code_for_the_embedded_model_uses_the_address_of_its_command(language: Language) -> None:
    code, served = page_of(embedded, language).code
    assert "http://127.0.0.1:8601" in code.value
    assert "API_KEY" in code.value
    assert "python -m components.embedded --port 8601 --api-key my-key" in served.value
    assert "export API_KEY=my-key" in served.value


def test_packages_and_the_variable_of_the_key_are_named() -> None:
    captions = [caption.value for caption in page_of(configured, Language.REQUESTS).caption]
    assert captions[0] == "Install: `pip install requests sseclient-py`"
    assert "export API_KEY=" in captions[1]
    assert "secret" not in str(captions)


def test_json_has_no_notes() -> None:
    page = page_of(embedded, Language.JSON)
    assert len(page.code) == 1
    assert not page.caption
