"""Finding secrets and personal data in texts, and masking them: rules, and the credentials of a request."""
