"""A running stack over HTTP. In the order of a request: app, exchange, endpoint, failures."""
