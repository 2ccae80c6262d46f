"""The server side of the live view: one WebSocket per page that carries answers as blocks of safe HTML."""
