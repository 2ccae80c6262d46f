"""The sentences for people who are not let in, and for a login that cannot work."""

NO_AUTH_TABLE = "{name} says that a login is required, and the secrets file has no table [auth]. Add it."
ACCESS_WITHOUT_AUTH = "The secrets file has [access] and no [auth], so nobody would have to log in. Add [auth]."
AUTH_NOT_A_TABLE = "[auth] in the secrets file must be a table."
AUTH_INCOMPLETE = "[auth] in the secrets file has no {missing}. Add the missing settings."
ACCESS_UNREADABLE = 'No login is accepted: [access] in the secrets file must have allow = ["@example.org"].'
NOT_IDENTIFIED = "The login provider did not identify you. Ask this Tempera's operator."
LOGIN_ENDED = "Your login has ended. Log in again; everything is still there."
NOT_ON_THE_LIST = "You are logged in, but not on the list of those who may use this Tempera. Ask who runs it."
LOGIN_UNAVAILABLE = "Login is unavailable. Ask the operator of this Tempera to check its secrets file."
LOG_IN_FIRST = "Log in first."
