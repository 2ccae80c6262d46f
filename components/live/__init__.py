"""The live view's server side: answers as blocks of safe HTML, and the one socket that brings them to a page."""
