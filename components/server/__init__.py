"""The server around the pages: headers, cookies, hosts, limits on open pages, and further routes."""
