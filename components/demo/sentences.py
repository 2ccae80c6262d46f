"""The sentences for refused runs of a demo, and for settings of a demo that cannot be read."""

COUNTERS_UNREACHABLE = "The demo's counters cannot be reached, so nothing is sent. Try again in a minute."
SLOTS_TAKEN = "All places are taken. Wait until a run has ended."
TOO_MANY_RUNS_A_PERIOD = "This demo allows {number:,} runs a {period}.{shared} Try again {wait}."
TOO_MANY_RUNS_AT_ONCE = "This demo allows {number:,} runs at once.{shared} Wait until one of them has ended."
MORE_TOKENS_THAN_A_DAY = "This run may use {tokens:,} tokens, and this demo has {limit:,} a day{per}. Ask for less."
TOKENS_RESERVED = "Runs that are under way have reserved the tokens that this one needs. Wait until they have ended."
TOKENS_USED = "{have_used} There are enough for this run again {wait}."
REQUEST_TOO_LARGE = "This request is too large for this demo. Shorten its messages."
NETWORK_FLOODS = "Your network requests too many runs. Try again in a minute."
STOPPED_IN_QUEUE = "Stopped before its turn came."
LEFT_QUEUE = "No open page showed this run any more, so it left the queue. Run again."
ENDPOINT_NOT_ALLOWED = "This endpoint is not part of this demo. Choose another one."
NOT_A_REQUEST = "This is not a request of this demo: a model, messages of text, and the settings of the form."
EXTRA_FIELDS = "This demo sends no extra fields, and no unusual values. Remove: {names}."
MODEL_NOT_ALLOWED = "This model is not part of this demo. {choice}"
MAX_TOKENS_NEEDED = "This demo needs a max_tokens from 1 to {max_tokens:,}. Set it so."
SEED_TOO_LARGE = "random_seed is too large. Set one of up to 18 digits."
OUT_OF_RANGE = "{problem} This demo sends nothing outside of the ranges."
MESSAGES_TOO_LONG = "The messages have {characters:,} characters, and this demo takes {limit:,}. Shorten them."
TOO_MANY_MESSAGES = "There are {count:,} messages, and this demo takes {limit:,}. Remove some."
ODD_TOOL_CALL = (
    "A tool call has parts that this demo does not send. It needs an id, a type and a function with a name and "
    "arguments."
)
PAUSED = "This demo is paused by its operator. Earlier runs can still be read; try again later."
EXPERIMENT_TOO_MANY_RUNS = "A sweep or comparison of this demo has {sweep_runs:,} runs. Begin a new one."
EXPERIMENT_TOO_MANY_TOKENS = (
    "A sweep or comparison of this demo asks for {sweep_tokens:,} tokens in all its runs. Lower max_tokens, or "
    "make fewer runs."
)
QUEUE_FULL = "All places are taken, and {queue:,} runs wait for one already. Try again in a minute."
QUEUE_OF_ONE_FULL = "{queue_of_one:,} runs of yours wait already. Wait until one of them has begun."
QUEUE_OF_NETWORK_FULL = "Half of the queue are runs from your network already. Try again in a minute."
ENABLED_UNREADABLE = (
    "[demo] in the secrets file must have enabled = true or enabled = false. This is a demo until it has."
)
SETTING_UNKNOWN = "[demo] has the unknown setting {name}."
NOT_A_NUMBER = (
    "[demo] {name} must be a whole number from {low} to {high:,}, not {value!r:.40}. It is {default:,} until then."
)
ENDPOINTS_UNREADABLE = '[demo] endpoints must be a list of names, such as ["embedded"]. No endpoint is used.'
MODELS_NOT_A_TABLE = "[demo.models] must be a table with one list of models for an endpoint."
MODELS_UNREADABLE = "[demo.models] {name} must be a list of models. Its default model is used."
STOP_FILE_UNREADABLE = "[demo] stop_file must be a path in quotation marks. No file stops this demo."
TOKENS_OF_ALL_USED = "All visitors together have used the tokens that this demo has for a day."
TOKENS_OF_VISITOR_USED = "You have used your share of the tokens that this demo has for a day."
TOKENS_OF_NETWORK_USED = "All of your network have used their share of the tokens that this demo has for a day."
SHARED_BY_NETWORK = " All of your network share that."
MODELS_TO_CHOOSE = "Choose one of: {models}."
NO_MODEL_TO_CHOOSE = "This endpoint has none in it."
