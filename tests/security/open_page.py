"""A page in a browser: its widgets' values, and the messages that send all of them to the server."""

from __future__ import annotations

from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates

from tests.security.session import Session

_WAIT_S = 30
_QUIET_S = 0.3
_VALUE_FIELDS = {
    "number_input": "double_value",
    "slider": "double_array_value",
    "button_group": "string_array_value",
    "checkbox": "bool_value",
    "selectbox": "string_value",
    "text_area": "string_value",
    "text_input": "string_value",
    "button": "trigger_value",
}


class OpenPage:
    """A page that sends the messages of a browser and reads the server's new values on demand only."""

    def __init__(self, session: Session, query: str = "", name: str = "") -> None:
        self._session = session
        self._name = name
        """The page's name, until the server sends the hash that identifies it."""
        self._page_script_hash = ""
        self.query = query
        """The query in the address bar."""
        self._ids: dict[str, str] = {}
        self._states: dict[str, WidgetState] = {}
        self._not_learned: list[ForwardMsg] = []
        self.send()
        self.learn()

    def send(self, *pressed: str, **changed: Any) -> None:
        """Send every widget's value, after these buttons were ``pressed`` and these values ``changed``."""
        for key, value in changed.items():
            state = self._states[self._ids[key]]
            self._hold(state, str(state.WhichOneof("value")), value)
        triggers = [WidgetState(id=self._ids[key], trigger_value=True) for key in pressed]
        message = BackMsg()
        message.rerun_script.query_string = self.query
        if self._page_script_hash:
            message.rerun_script.page_script_hash = self._page_script_hash
        else:
            message.rerun_script.page_name = self._name
        message.rerun_script.context_info.timezone = "UTC"
        message.rerun_script.widget_states.CopyFrom(WidgetStates(widgets=[*self._states.values(), *triggers]))
        self._session.connection.send(message.SerializeToString())

    def wait(self) -> None:
        """Wait until the server has drawn the page, without reading its messages."""
        finished = False
        while True:
            try:
                message = self._session.receive(_QUIET_S if finished else _WAIT_S)
            except TimeoutError:
                assert finished, "the server did not draw the page"
                return
            self._not_learned.append(message)
            if message.WhichOneof("type") == "script_finished":
                finished = message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY
            elif message.WhichOneof("type") == "new_session":
                finished = False

    def learn(self) -> None:
        """Wait until the server has drawn the page, and read its messages."""
        self.wait()
        for message in self._not_learned:
            kind = message.WhichOneof("type")
            if kind == "navigation":
                self._page_script_hash = message.navigation.page_script_hash
            elif kind == "page_info_changed":
                self.query = message.page_info_changed.query_string
            elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
                self._draw(message.delta.new_element)
            elif kind == "delta":
                self._draw_tabs(message.delta.add_block.tab_container)
        self._not_learned.clear()

    def value(self, key: str) -> Any:
        """The value that a widget shows."""
        state = self._states[self._ids[key]]
        value = getattr(state, str(state.WhichOneof("value")))
        return value.data[0] if hasattr(value, "data") else value

    def _draw(self, element: Any) -> None:
        kind = str(element.WhichOneof("type"))
        if kind not in _VALUE_FIELDS:
            return
        widget = getattr(element, kind)
        self._ids[widget.id.split("-", 2)[2]] = widget.id
        if kind == "button":
            return
        is_whole_number = kind == "number_input" and widget.data_type == widget.INT
        field = "int_value" if is_whole_number else _VALUE_FIELDS[kind]
        if widget.set_value:
            value = getattr(widget, {"button_group": "raw_values", "selectbox": "raw_value"}.get(kind, "value"))
        elif widget.id in self._states:
            return
        elif kind == "button_group":
            value = [widget.options[place].content for place in widget.default]
        elif kind == "selectbox":
            value = widget.options[widget.default]
        else:
            value = widget.default
        self._hold(self._states.setdefault(widget.id, WidgetState(id=widget.id)), field, value)

    def _draw_tabs(self, tabs: Any) -> None:
        if tabs.id and tabs.id not in self._states:
            self._ids[tabs.id.split("-", 2)[2]] = tabs.id
            self._states[tabs.id] = WidgetState(id=tabs.id, string_value=tabs.default_tab_label)

    @staticmethod
    def _hold(state: WidgetState, field: str, value: Any) -> None:
        if field.endswith("array_value"):
            getattr(state, field).data[:] = [value] if isinstance(value, str | float) else value
        else:
            setattr(state, field, int(value) if field == "int_value" else value)
