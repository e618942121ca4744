"""Connections: the credentials, doctor, status, trigger and webhooks of one company's connection."""
