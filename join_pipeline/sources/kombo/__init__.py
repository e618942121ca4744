"""Talking to Kombo's unified ATS API: its envelope and errors, its cursors, what its records look like."""
