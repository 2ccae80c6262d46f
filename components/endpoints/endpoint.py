"""An endpoint. Pages, links and the log hold only its name; the address and the key stay here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from components.contract.profile import Profile
from components.embedded.problems import EmbeddedProblem
from components.embedded.process import EmbeddedModel
from components.endpoints import sentences
from components.streaming.session import ApiKey
from components.user_error import UserError


class EndpointUnavailable(UserError):
    """The endpoint has no address at the moment."""


@dataclass(frozen=True)
class Address:
    """The address of requests, and their key.

    ``allows`` returns whether an IP address, as text, may be called: the policy for addresses from visitors. It is
    applied to the connected peer before any byte is sent. None, for the operator's endpoints, allows all.
    """

    base_url: str
    key: ApiKey | None = None
    allows: Callable[[str], bool] | None = None


@dataclass(frozen=True)
class Prices:
    """The prices of a million tokens of prompts and of answers, in a currency such as EUR."""

    prompt: float
    answer: float
    currency: str

    def cost(self, prompt_tokens: float, answer_tokens: float) -> float:
        """The price of these tokens."""
        return (prompt_tokens * self.prompt + answer_tokens * self.answer) / 1_000_000


@dataclass(frozen=True)
class Endpoint:
    """An endpoint with a fixed address, from the configuration or from a visitor's own form.

    ``declared`` names the fields that its operator declared; ``openapi`` is the address of a document that names more.
    """

    name: str
    profile: Profile
    fixed_address: Address
    default_model: str | None = None
    prices: Prices | None = None
    declared: tuple[str, ...] = ()
    openapi: str | None = None

    def address(self, stopped: Callable[[], bool]) -> Address:
        """The address to send a request to; may wait until ``stopped`` returns true.

        Raises EndpointUnavailable.
        """
        return self.fixed_address

    @property
    def known_address(self) -> Address | None:
        """The address of the next request, if it is known without starting or requesting anything."""
        return self.fixed_address


@dataclass(frozen=True)
class EmbeddedEndpoint:
    """The embedded model; its process starts at the first use."""

    name: str
    profile: Profile
    model: EmbeddedModel
    default_model: str | None = None
    prices: Prices | None = None

    def address(self, stopped: Callable[[], bool]) -> Address:
        """The address of the model's process, which is started and awaited if necessary.

        Raises EndpointUnavailable when it cannot be started.
        """
        try:
            embedded = self.model.wait_until_ready(stopped)
        except EmbeddedProblem as failure:
            raise EndpointUnavailable(str(failure)) from None
        if embedded is None:
            raise EndpointUnavailable(sentences.STOPPED_BEFORE_THE_MODEL)
        return Address(embedded.base_url, ApiKey(embedded.api_key, embedded.base_url))

    @property
    def known_address(self) -> Address | None:
        """The address of the model's process, or None while it is not ready. Does not start it."""
        embedded = self.model.address
        return Address(embedded.base_url, ApiKey(embedded.api_key, embedded.base_url)) if embedded else None


AnyEndpoint = Endpoint | EmbeddedEndpoint
