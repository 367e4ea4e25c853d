"""Rules that find secrets and personal data in texts, and the masking of keys and of the credentials of a request."""
