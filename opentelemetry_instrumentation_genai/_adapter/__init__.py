"""What adapters of SDKs are written with: tables of fields, operations, message parts, JSON values, server timings and failures."""
