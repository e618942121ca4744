"""Connections: one company's connection: credentials, connect, doctor, status."""
