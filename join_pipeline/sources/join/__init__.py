"""JOIN's API v2 as a source: its feeds, client, payloads, mapping and rules."""
