"""The parts of the pages. Only this package and ``pages/`` draw with Streamlit."""
