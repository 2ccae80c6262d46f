"""The embedded model endpoint: a small model on this machine that speaks the contract, so Tempera works at once.

Imports only the contract from ours, and never Streamlit.
"""
