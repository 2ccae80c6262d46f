"""The sentences for a server that does not start, and for requests that it refuses."""

TOO_MANY_PAGES = "Too many pages are open. Close one of yours; this page then connects automatically."
WORKER_WITHOUT_ENDPOINT = "This worker has no endpoint {endpoint}. Configure it there, too."
LINK_EXPIRED = "This link has expired. Open *Export* on the Runs page again."
SECRETS_NOT_TOML = (
    "The secrets file is not valid TOML, so its endpoints are missing. Correct it, then reload this page."
)
SECRETS_UNREADABLE = (
    "The secrets file cannot be read, so its endpoints are missing. Check its permissions and encoding."
)
SECRETS_UNUSABLE = "The secrets file cannot be read, or is not valid TOML. Correct it."
SECRETS_FILES_OF_STREAMLIT = "STREAMLIT_SECRETS_FILES is read by `streamlit run` alone. Start Tempera with that."
SECRETS_NOT_READ_HERE = "{file} is not read from here. Start Tempera in {folder}."
REPLICAS_SIGN_DIFFERENTLY = (
    "The replicas of a demo must sign its visitors' cookies alike. Set STREAMLIT_SERVER_COOKIE_SECRET."
)
SIZE_UNKNOWN = "Say with Content-Length how large the file is."
