"""The server around the pages: headers, cookies, hosts, limits on open pages, and routes beside the pages."""
