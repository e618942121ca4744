"""HTTP for any API: sending requests, waiting, retrying, the server's clock, bodies. Nothing here is about one API."""
