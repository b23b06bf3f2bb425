"""An append-only log that others can verify: entries, an RFC 6962 tree over them, and what is signed about it."""
