"""What stands around the pages: headers, cookies, hosts, limits on open pages, and routes that are no pages."""
