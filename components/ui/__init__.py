"""The parts that pages are made of. Only this room and the pages know Streamlit."""
