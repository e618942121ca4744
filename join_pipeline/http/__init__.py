"""Talking to an HTTP API, whichever it is: sending, waiting, retrying, its clock, its bodies. Knows no API's words."""
