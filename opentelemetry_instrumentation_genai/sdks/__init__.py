"""Further SDKs, one module or folder each: those of the Stainless family, google-genai and boto3."""
