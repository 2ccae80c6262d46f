"""The sentences shown to a user about endpoints that are added on the page."""

from __future__ import annotations

NAME_UNUSABLE = "Give a name of letters, digits, dots, hyphens and underscores, at most 40."
NAME_TAKEN = "There is an endpoint {name} already. Choose another name."
KEY_OF_THE_ADDRESS_BEFORE = "The saved key belongs to the address before. Type the key of this address."
DIALECT_UNKNOWN = "Choose one of these dialects: {known}."
MODEL_UNPRINTABLE = "The model's name holds a character that cannot be seen. Type it again."
ADDED_UNREADABLE = "The endpoints in {path} cannot be read. Mend the file, or delete it."
ADDED_UNWRITABLE = "The endpoint was not saved: {path} cannot be written ({why})."
ADDED_BY_HAND = "{path} was edited by hand, and [{name}] holds more than texts. Edit it there, not on the page."
