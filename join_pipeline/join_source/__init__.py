"""JOIN as a source: what a sync reads of it, what its payloads become, what absence means there."""
